"""Which containers and protocols may be opened, by demuxer name, for the probe and the encoder alike.

Playlists and concat scripts are not among them: under a video's name they would read a neighbour's file or make
requests. Sound-only containers are, so that the answer to an MP3 can be "no picture".
"""

PROTOCOLS = "file,pipe"
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,live_flv,asf,ogg,mxf,"
    "h264,hevc,m4v,wav,mp3,aac,flac,w64,aiff,ac3,eac3"
)
