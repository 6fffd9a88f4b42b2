"""Reads HLS that another service has made, and refuses it unless everything that it names is there; pure.

Its playlists may have segments of any kind (MPEG-TS, fragmented MP4, byte ranges), in the folder of the master playlist
or one below it. For DASH see media_pipeline.external.dash.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePosixPath

from media_pipeline import layout
from media_pipeline.packaging import playlists

START = "#EXTM3U"
NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,32}/)?[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,16}){1,3}")
RESOLUTION = re.compile(r"[:,]RESOLUTION=(\d{1,5})x(\d{1,5})")
BYTE_RANGE = re.compile(r"#EXT-X-BYTERANGE:(\d{1,15})(?:@(\d{1,15}))?$")
SECONDS = re.compile(r"\d{1,6}(?:\.\d{1,9})?")
MAX_PLAYLIST_BYTES = 8 * 1024**2
# Media playlists that a master playlist names.
MAX_PLAYLISTS = 100
Read = Callable[[str], str]


class BadResult(Exception):
    """The result of another service cannot be used; says what is wrong with it."""


@dataclass(frozen=True)
class Variant:
    """One quality. `width` and `height` are 0 when the master playlist does not have them."""

    playlist: str
    width: int
    height: int


@dataclass(frozen=True)
class ForeignVersion:
    """A film that another service has made, found to be complete."""

    duration_s: Fraction
    variants: tuple[Variant, ...]  # lowest first
    files: tuple[str, ...]  # those that players read; the folder may hold others
    texts: Mapping[str, str] = field(default_factory=dict)  # playlists and manifests to write beside them

    @property
    def best(self) -> Variant:
        return self.variants[-1]


def read_version(sizes: Mapping[str, int], read: Read) -> ForeignVersion:
    """Reads the HLS of a result. `sizes` has the bytes of each file by its name below the result's folder.

    Raises BadResult, and whatever `read` raises.
    """
    master = read_playlist(layout.MASTER, sizes, read)
    if "#EXTINF" in master:
        raise BadResult(f"{layout.MASTER} is no master playlist: it lists segments itself.")
    variants = sorted(parse_variants(master), key=lambda one: (min(one.width, one.height), one.playlist))
    if not variants:
        raise BadResult(f"{layout.MASTER} names no quality.")
    names = list(dict.fromkeys(require_file(uri, layout.MASTER, sizes) for uri in playlists.uris(master)))
    if len(names) > MAX_PLAYLISTS:
        raise BadResult(f"{layout.MASTER} names more than {MAX_PLAYLISTS} playlists.")
    files, durations = {layout.MASTER, *names}, {}
    for name in names:
        text = read_playlist(name, sizes, read)
        files |= set(media_files(name, text, sizes))
        durations[name] = playlist_duration(name, text)
    return ForeignVersion(durations[variants[-1].playlist], tuple(variants), tuple(sorted(files)))


def read_playlist(name: str, sizes: Mapping[str, int], read: Read) -> str:
    if name not in sizes:
        raise BadResult(f"{name} is not there.")
    if sizes[name] > MAX_PLAYLIST_BYTES:
        raise BadResult(f"{name} is too long for a playlist.")
    text = read(name)
    if not text.startswith(START):
        raise BadResult(f"{name} is no playlist.")
    return text


def parse_variants(master: str) -> Iterator[Variant]:
    # The size of the variant whose address is on the next line that is not a tag.
    size: tuple[int, int] | None = None
    for line in master.splitlines():
        if line.startswith("#EXT-X-STREAM-INF:"):
            match = RESOLUTION.search(line)
            size = (int(match[1]), int(match[2])) if match else (0, 0)
        elif line and not line.startswith("#") and size is not None:
            yield Variant(line.strip(), *size)
            size = None


def media_files(playlist: str, text: str, sizes: Mapping[str, int]) -> Iterator[str]:
    """The files that a media playlist names. Raises BadResult when one is missing, or ends before its byte ranges."""
    folder = PurePosixPath(playlist).parent
    # A range without an offset begins where the one before it, of the same file, ended.
    end, has_range, last = 0, False, ""
    for line in text.splitlines():
        if line.startswith("#EXT-X-BYTERANGE") and not BYTE_RANGE.match(line):
            raise BadResult(f"{playlist} has a byte range that cannot be read.")
        if match := BYTE_RANGE.match(line):
            end, has_range = int(match[1]) + (int(match[2]) if match[2] else end), True
        for uri in playlists.uris(line):
            name = require_file((folder / uri).as_posix(), playlist, sizes)
            if not line.startswith("#"):
                end = end if has_range or name == last else 0
                if has_range and end > sizes[name]:
                    raise BadResult(f"{playlist} names bytes after the end of {name}.")
                has_range, last = False, name
            yield name


def require_file(name: str, playlist: str, sizes: Mapping[str, int]) -> str:
    if not NAME.fullmatch(name) or PurePosixPath(name).suffix not in layout.CONTENT_TYPES:
        raise BadResult(f"{playlist} names {name[:200]!r}: only files beside it or in a folder there can be played.")
    if name not in sizes:
        raise BadResult(f"{playlist} names {name}, which is not there.")
    if sizes[name] == 0:
        raise BadResult(f"{playlist} names {name}, which is empty.")
    return name


def playlist_duration(name: str, text: str) -> Fraction:
    """Seconds. Raises BadResult for a playlist that has no end, or no segments."""
    if not text.rstrip().endswith("#EXT-X-ENDLIST"):
        raise BadResult(f"{name} has no end: it is not complete.")
    lengths = [line.partition(":")[2].partition(",")[0] for line in text.splitlines() if line.startswith("#EXTINF:")]
    if not all(SECONDS.fullmatch(length) for length in lengths):
        raise BadResult(f"{name} has a segment of no length.")
    total = sum((Fraction(length) for length in lengths), Fraction())
    if total <= 0:
        raise BadResult(f"{name} has no segments.")
    return total
