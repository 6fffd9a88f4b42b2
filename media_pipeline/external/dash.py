"""DASH that another service has made: whether all that its manifest promises is there; pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import PurePosixPath

from media_pipeline import layout
from media_pipeline.external import mpd
from media_pipeline.external.hls import BadResult, require_file
from media_pipeline.external.mpd import MAX_FILES, BadManifest, Representation
from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.segments import InitSegment, MediaSegment, parse_init

SUFFIXES = (".m4s", ".mp4", ".m4v", ".m4a")
MAX_MANIFEST_BYTES = 8 * 1024**2
MAX_INIT_BYTES = 1024**2
# Between one segment and the next, and between the beginnings of picture and sound.
MAX_GAP_S = Fraction(1, 2)
TIME_IDENTIFIER = re.compile(r"\$Time(?:%0\d\d?d)?\$")
CODEC = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
SAME_CODEC = {"avc3": "avc1", "hev1": "hvc1"}  # but for where the parameter sets lie
Names = dict[Representation, list[str]]
ReadBytes = Callable[[str], bytes]
ReadSegments = Callable[[Iterable[tuple[str, InitSegment]]], Mapping[str, MediaSegment | BadMp4]]


@dataclass(frozen=True)
class DashTrack:
    """A representation, what its init segment says, and its segments: contiguous, from the first that can be had."""

    said: Representation
    init: InitSegment
    files: tuple[str, ...]
    segments: tuple[MediaSegment, ...]
    origin: int  # decode time at which the film begins, as the manifest has it

    @property
    def codec(self) -> str:
        return self.init.codec if "." in self.init.codec else first_codec(self.said) or self.init.codec

    @property
    def start_s(self) -> Fraction:
        return Fraction(self.segments[0].decode_time - self.origin, self.init.timescale)

    @property
    def end_s(self) -> Fraction:
        return Fraction(self.segments[-1].end - self.origin, self.init.timescale)

    @property
    def durations(self) -> tuple[int, ...]:
        """In ticks of the track: each segment lasts until the next one begins."""
        ends = [*(one.decode_time for one in self.segments[1:]), self.segments[-1].end]
        return tuple(end - one.decode_time for one, end in zip(self.segments, ends, strict=True))


@dataclass(frozen=True)
class DashResult:
    """What a manifest promises, all of it found."""

    tracks: tuple[DashTrack, ...]
    told_s: Fraction | None  # how long the film is, as the manifest says

    @property
    def start_s(self) -> Fraction:
        """Where the film begins. A few samples of sound before it are the encoder's, and never heard."""
        first_s = min(one.start_s for one in self.tracks)
        return first_s if abs(first_s) > MAX_GAP_S else Fraction()

    @property
    def videos(self) -> list[DashTrack]:
        return [one for one in self.tracks if one.init.kind == "video"]

    @property
    def duration_s(self) -> Fraction:
        """Of the quality that ends first."""
        return min(one.end_s for one in self.videos) - self.start_s

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(name for one in self.tracks for name in (one.said.init, *one.files))


def read_dash(sizes: Mapping[str, int], read: ReadBytes, read_segments: ReadSegments) -> DashResult:
    """`sizes`: the bytes of each file by its name below the result's folder. Raises BadResult, and what they do."""
    if sizes[layout.MANIFEST] > MAX_MANIFEST_BYTES:
        raise BadResult(f"{layout.MANIFEST} is too long for a manifest.")
    try:
        manifest = mpd.parse_mpd(read_text(read(layout.MANIFEST), layout.MANIFEST))
        listed, earlier = segment_names(manifest.representations, sizes)
        names = [name for one in listed for name in (one.init, *earlier[one], *listed[one])]
    except BadManifest as problem:
        raise BadResult(f"{layout.MANIFEST} cannot be taken: {problem}") from problem
    if len(set(names)) < len(names):
        raise BadResult(f"{layout.MANIFEST} names one of its files twice.")
    for name in names:
        if PurePosixPath(require_file(name, layout.MANIFEST, sizes)).suffix not in SUFFIXES:
            raise BadResult(f"{layout.MANIFEST} names {name}: segments end with one of {', '.join(SUFFIXES)}.")
    described = {one: read_init(one, sizes, read) for one in listed}
    found = read_segments((name, described[one]) for one in listed for name in (*earlier[one], *listed[one]))
    tracks = tuple(make_track(one, described[one], earlier[one], listed[one], found) for one in listed)
    result = DashResult(tracks, manifest.duration_s)
    for track in tracks:
        # Sound may begin late in the original, and then it is the first segment that does.
        is_window = track.init.kind == "video" or track.said.segments[0].number > 1
        if is_window and track.start_s - result.start_s > MAX_GAP_S:
            raise BadResult(
                f"{track.files[0]} begins {in_seconds(track.start_s)} late, and nothing leads back to the start."
            )
    return result


def segment_names(found: Iterable[Representation], sizes: Mapping[str, int]) -> tuple[Names, Names]:
    """Those that each one lists, and those before them. Raises BadManifest as soon as there are too many."""
    listed: Names = {}
    earlier: Names = {}
    files = 0
    for one in found:
        listed[one] = [one.name_of(segment) for segment in one.segments]
        earlier[one] = names_before(one, sizes)
        files += 1 + len(listed[one]) + len(earlier[one])
        if files > MAX_FILES:
            raise BadManifest(f"it names more than {MAX_FILES} files.")
    return listed, earlier


def read_text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadResult(f"{name} is no text.") from error


def names_before(one: Representation, sizes: Mapping[str, int]) -> list[str]:
    """Files of the same template before the first one listed, as a window leaves them behind; in order."""
    first = one.segments[0]
    if first.time <= 0:
        return []
    if TIME_IDENTIFIER.search(one.media_template):
        times = sorted(time for time in times_in(one, sizes) if time < first.media_time)
        return [one.name_of(replace(first, media_time=time)) for time in times]
    names: list[str] = []
    for number in range(first.number - 1, -1, -1):
        name = one.name_of(replace(first, number=number))
        if name not in sizes or name in names[-1:]:  # a template without a number names one file
            break
        names.append(name)
    return names[::-1]


def times_in(one: Representation, sizes: Mapping[str, int]) -> Iterator[int]:
    """What the names that the template gives have for $Time$."""
    first = one.segments[0]
    parts = [re.escape(one.expand(part, number=first.number)) for part in TIME_IDENTIFIER.split(one.media_template)]
    # Possessive: a template that says the time again and again would be tried in every way to share out the digits.
    pattern = re.compile(re.escape(one.folder) + r"([0-9]{1,18}+)".join(parts))
    for name in sizes:
        if (match := pattern.fullmatch(name)) and one.name_of(replace(first, media_time=int(match[1]))) == name:
            yield int(match[1])


def read_init(one: Representation, sizes: Mapping[str, int], read: ReadBytes) -> InitSegment:
    name, said = one.init, first_codec(one)
    if sizes[name] > MAX_INIT_BYTES:
        raise BadResult(f"{name} is too long for an init segment.")
    try:
        init = parse_init(read(name))
    except BadMp4 as problem:
        raise BadResult(f"{name} is no init segment that can be taken: {problem}.") from problem
    if init.kind != one.kind:
        raise BadResult(f"{name} holds {init.kind}, and {layout.MANIFEST} says {one.kind}.")
    if said and (family(said) != family(init.codec) or not CODEC.fullmatch(said)):
        raise BadResult(f"{name} holds {init.codec}, and {layout.MANIFEST} says {said[:60]}.")
    if init.kind == "video" and not (init.width and init.height):
        raise BadResult(f"{name} does not tell the size of the picture.")
    return init


def first_codec(one: Representation) -> str:
    return one.codecs.partition(",")[0].strip()


def family(codec: str) -> str:
    name = codec.partition(".")[0]
    return SAME_CODEC.get(name, name).lower()


def make_track(
    one: Representation,
    init: InitSegment,
    earlier: Sequence[str],
    listed: Sequence[str],
    found: Mapping[str, MediaSegment | BadMp4],
) -> DashTrack:
    segments = [whole(found[name], name) for name in listed]
    # The first one of a timeline may begin with samples that are never heard, and which it does not count.
    fixed = min(1, len(listed) - 1) if one.has_timeline else 0
    origin = segments[fixed].decode_time - round(Fraction(one.segments[fixed].time * init.timescale, one.timescale))
    for name, segment, said in zip(listed, segments, one.segments, strict=True):
        apart_s = Fraction(segment.decode_time - origin, init.timescale) - Fraction(said.time, one.timescale)
        if 2 * abs(apart_s) > Fraction(said.duration, one.timescale):
            raise BadResult(f"{name} begins {in_seconds(abs(apart_s))} from where {layout.MANIFEST} has it.")
    files = list(listed)
    for name in reversed(earlier):
        before = found[name]
        # What does not lead on to the next one was left behind by something else.
        if segments[0].decode_time <= origin or isinstance(before, BadMp4) or not leads_on(before, segments[0], init):
            break
        files.insert(0, name)
        segments.insert(0, before)
    for (name, before), (following, after) in pairwise(zip(files, segments, strict=True)):
        if not leads_on(before, after, init):
            raise BadResult(f"{following} does not begin where {name} ends.")
    if not segments[0].starts_with_sync:
        raise BadResult(f"{files[0]} does not begin with a picture that stands alone.")
    return DashTrack(one, init, tuple(files), tuple(segments), origin)


def whole(segment: MediaSegment | BadMp4, name: str) -> MediaSegment:
    if isinstance(segment, BadMp4):
        raise BadResult(f"{name} is no segment that can be taken: {segment}.")
    return segment


def leads_on(one: MediaSegment, following: MediaSegment, init: InitSegment) -> bool:
    gap_s = Fraction(following.decode_time - one.end, init.timescale)
    return abs(gap_s) <= MAX_GAP_S and following.decode_time > one.decode_time


def in_seconds(duration_s: Fraction) -> str:
    return f"{float(duration_s):.1f} s"
