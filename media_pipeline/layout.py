"""Names of the files of a version and the keys they are stored under; pure."""

from pathlib import PurePath

MASTER = "master.m3u8"
MANIFEST = "manifest.mpd"
POSTER = "poster.jpg"
SMALL_SUFFIX = "_small"
STORYBOARD = "storyboard.jpg"
STORYBOARD_CUES = "storyboard.vtt"
LISTS = (".m3u8", ".mpd")  # name media, in buckets by signed addresses

CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
    # Of films that other services have made:
    ".mpd": "application/dash+xml",
    ".ts": "video/mp2t",
    ".m4s": "video/iso.segment",
    ".m4v": "video/mp4",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
}


def rendition_file(rung: str) -> str:
    """One MP4 with picture and sound; HLS reads it by byte range."""
    return f"{rung}.mp4"


def init_file(rung: str) -> str:
    return f"{rung}.init.mp4"


def playlist_file(rung: str) -> str:
    return f"{rung}.m3u8"


def iframes_file(rung: str) -> str:
    return f"iframes_{rung}.m3u8"


def poster_file(number: int) -> str:
    """The best candidate is the poster itself; the next ones count from 2."""
    return POSTER if number == 1 else f"poster_{number}.jpg"


def small_poster_file(poster: str) -> str:
    """The same picture as cards show it, beside the one that fills a player."""
    return f"{poster.removesuffix('.jpg')}{SMALL_SUFFIX}.jpg"


def audio_file(key: str) -> str:
    """A soundtrack of its own; the main one (no key) lies in the rungs."""
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
    """Media before the playlists and the manifest that name them, the master playlist last: what is listed is there.

    What is in one step may be stored in any order, or at once.
    """
    playlists = sorted(name for name in names if name.endswith(LISTS) and name != MASTER)
    media = sorted(name for name in names if not name.endswith(LISTS))
    return [step for step in (media, playlists, [name for name in names if name == MASTER]) if step]
