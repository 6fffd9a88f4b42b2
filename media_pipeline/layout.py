"""Names of the files of a version and the keys they are stored under; pure."""

from pathlib import PurePath

MASTER = "master.m3u8"
MANIFEST = "manifest.mpd"
POSTER = "poster.jpg"
SMALL_SUFFIX = "_small"
STORYBOARD = "storyboard.jpg"
STORYBOARD_CUES = "storyboard.vtt"
# Texts that name media files. With a bucket, the names in them are replaced by signed addresses.
LISTS = (".m3u8", ".mpd")

CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
    # These occur only in films that other services have made.
    ".mpd": "application/dash+xml",
    ".ts": "video/mp2t",
    ".m4s": "video/iso.segment",
    ".m4v": "video/mp4",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
}


def rendition_file(rung: str) -> str:
    """One MP4 with picture and sound, which HLS reads by byte range."""
    return f"{rung}.mp4"


def init_file(rung: str) -> str:
    return f"{rung}.init.mp4"


def playlist_file(rung: str) -> str:
    return f"{rung}.m3u8"


def iframes_file(rung: str) -> str:
    return f"iframes_{rung}.m3u8"


def poster_file(number: int) -> str:
    """The best candidate (number 1) is the poster itself; the others count from 2."""
    return POSTER if number == 1 else f"poster_{number}.jpg"


def small_poster_file(poster: str) -> str:
    """The small size of a poster, for cards; the poster itself fills a player."""
    return f"{poster.removesuffix('.jpg')}{SMALL_SUFFIX}.jpg"


def audio_file(key: str) -> str:
    """The file of a further soundtrack. The main one (its key is empty) lies in the rungs' files."""
    return f"audio_{key}.mp4"


def audio_init_file(key: str) -> str:
    return f"audio_{key}.init.mp4" if key else "audio.init.mp4"


def audio_playlist_file(key: str) -> str:
    return f"audio_{key}.m3u8" if key else "audio.m3u8"


def captions_file(language: str) -> str:
    return f"captions_{language}.vtt"


def captions_playlist_file(language: str) -> str:
    return f"captions_{language}.m3u8"


def version_prefix(public_id: object, version: str) -> str:
    return f"videos/{public_id}/{version}"


def video_prefix(public_id: object) -> str:
    return f"videos/{public_id}"


def originals_prefix(public_id: object) -> str:
    return f"originals/{public_id}"


def content_type(name: str) -> str:
    return CONTENT_TYPES[PurePath(name).suffix]


def publishing_steps(names: list[str]) -> list[list[str]]:
    """Groups of files to store one after the other; the files of one group may be stored in any order, or at once.

    Media come before the playlists and the manifest that name them, and the master playlist comes last, so that
    whatever a playlist names is there.
    """
    playlists = sorted(name for name in names if name.endswith(LISTS) and name != MASTER)
    media = sorted(name for name in names if not name.endswith(LISTS))
    return [step for step in (media, playlists, [name for name in names if name == MASTER]) if step]
