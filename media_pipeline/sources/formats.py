"""The containers (by demuxer name) and protocols that the probe and the encoder may open."""

# Nothing is fetched, whatever address a file names.
PROTOCOLS = "file,pipe"
# Playlists and concat scripts are left out: under a video's name they would read another user's file or make requests.
# Containers that hold only sound are included, so that the answer to an MP3 is "no picture".
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,live_flv,asf,ogg,mxf,"
    "h264,hevc,m4v,wav,mp3,aac,flac,w64,aiff,ac3,eac3"
)
