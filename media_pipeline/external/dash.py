"""Reads DASH that another service has made, and refuses it unless all that its manifest lists is there; pure."""

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
# The longest gap between one segment and the next, and between the beginnings of picture and sound.
MAX_GAP_S = Fraction(1, 2)
TIME_IDENTIFIER = re.compile(r"\$Time(?:%0\d\d?d)?\$")
CODEC = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
# Two names of the same codec, which differ in where the parameter sets are stored.
SAME_CODEC = {"avc3": "avc1", "hev1": "hvc1"}
Names = dict[Representation, list[str]]
ReadBytes = Callable[[str], bytes]
ReadSegments = Callable[[Iterable[tuple[str, InitSegment]]], Mapping[str, MediaSegment | BadMp4]]


@dataclass(frozen=True)
class DashTrack:
    """A representation with its init segment and its segments, without gaps, from the first that is still stored."""

    representation: Representation
    init: InitSegment
    files: tuple[str, ...]
    segments: tuple[MediaSegment, ...]
    origin: int  # decode time at which the film begins according to the manifest

    @property
    def codec(self) -> str:
        return self.init.codec if "." in self.init.codec else first_codec(self.representation) or self.init.codec

    @property
    def size(self) -> tuple[int, int]:
        return self.init.width, self.init.height

    @property
    def frame_rate(self) -> Fraction:
        """Frames a second according to the manifest, else as counted."""
        samples = sum(one.samples for one in self.segments)
        return self.representation.frame_rate or Fraction(samples * self.init.timescale, sum(self.durations))

    @property
    def start_s(self) -> Fraction:
        return Fraction(self.segments[0].decode_time - self.origin, self.init.timescale)

    @property
    def end_s(self) -> Fraction:
        return Fraction(self.segments[-1].end - self.origin, self.init.timescale)

    @property
    def durations(self) -> tuple[int, ...]:
        """In ticks of the track. Each segment lasts until the next one begins."""
        ends = [*(one.decode_time for one in self.segments[1:]), self.segments[-1].end]
        return tuple(end - one.decode_time for one, end in zip(self.segments, ends, strict=True))


@dataclass(frozen=True)
class DashResult:
    """Everything that a manifest lists, found to be complete."""

    tracks: tuple[DashTrack, ...]
    declared_s: Fraction | None  # the film's length according to the manifest

    @property
    def start_s(self) -> Fraction:
        """Where the film begins."""
        first_s = min(one.start_s for one in self.tracks)
        # Sound may begin a few samples before the film: those are the encoder's priming, and never heard.
        return first_s if abs(first_s) > MAX_GAP_S else Fraction()

    @property
    def videos(self) -> list[DashTrack]:
        return [one for one in self.tracks if one.init.kind == "video"]

    @property
    def duration_s(self) -> Fraction:
        """The length of the quality that ends first."""
        return min(one.end_s for one in self.videos) - self.start_s

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(name for one in self.tracks for name in (one.representation.init, *one.files))


def read_dash(sizes: Mapping[str, int], read: ReadBytes, read_segments: ReadSegments) -> DashResult:
    """Reads the DASH of a result. `sizes` has the bytes of each file by its name below the result's folder.

    Raises BadResult, and whatever `read` and `read_segments` raise.
    """
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
    segments = read_segments((name, described[one]) for one in listed for name in (*earlier[one], *listed[one]))
    tracks = tuple(make_track(one, described[one], earlier[one], listed[one], segments) for one in listed)
    result = DashResult(tracks, manifest.duration_s)
    for track in tracks:
        # A track that begins late is a window whose beginning is lost. Only sound may begin late in the original too:
        # then its first segment has the first number.
        is_window = track.init.kind == "video" or track.representation.segments[0].number > 1
        if is_window and track.start_s - result.start_s > MAX_GAP_S:
            raise BadResult(
                f"{track.files[0]} begins {in_seconds(track.start_s)} late, and nothing leads back to the start."
            )
    return result


def segment_names(representations: Iterable[Representation], sizes: Mapping[str, int]) -> tuple[Names, Names]:
    """The segments that each representation lists, and those before them. Raises BadManifest for too many."""
    listed: Names = {}
    earlier: Names = {}
    files = 0
    for one in representations:
        listed[one] = [one.segment_name(segment) for segment in one.segments]
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
    """Files of the same template before the first segment that is listed, in order.

    The manifest of a live recording lists a window at its end; the segments before it may still be stored.
    """
    first = one.segments[0]
    if first.time <= 0:
        return []
    if TIME_IDENTIFIER.search(one.media_template):
        times = sorted(time for time in times_in_names(one, sizes) if time < first.media_time)
        return [one.segment_name(replace(first, media_time=time)) for time in times]
    names: list[str] = []
    for number in range(first.number - 1, -1, -1):
        name = one.segment_name(replace(first, number=number))
        # A template without a number names the same file again.
        if name not in sizes or name in names[-1:]:
            break
        names.append(name)
    return names[::-1]


def times_in_names(one: Representation, sizes: Mapping[str, int]) -> Iterator[int]:
    """The values of $Time$ in the names of files that match the template."""
    first = one.segments[0]
    parts = [re.escape(one.expand(part, number=first.number)) for part in TIME_IDENTIFIER.split(one.media_template)]
    # Possessive: with a template that repeats $Time$, the pattern would try every way to divide the digits.
    pattern = re.compile(re.escape(one.folder) + r"([0-9]{1,18}+)".join(parts))
    for name in sizes:
        if (match := pattern.fullmatch(name)) and one.segment_name(replace(first, media_time=int(match[1]))) == name:
            yield int(match[1])


def read_init(one: Representation, sizes: Mapping[str, int], read: ReadBytes) -> InitSegment:
    name, declared = one.init, first_codec(one)
    if sizes[name] > MAX_INIT_BYTES:
        raise BadResult(f"{name} is too long for an init segment.")
    try:
        init = parse_init(read(name))
    except BadMp4 as problem:
        raise BadResult(f"{name} is no init segment that can be taken: {problem}.") from problem
    if init.kind != one.kind:
        raise BadResult(f"{name} holds {init.kind}, and {layout.MANIFEST} says {one.kind}.")
    if declared and (codec_family(declared) != codec_family(init.codec) or not CODEC.fullmatch(declared)):
        raise BadResult(f"{name} holds {init.codec}, and {layout.MANIFEST} says {declared[:60]}.")
    if init.kind == "video" and not (init.width and init.height):
        raise BadResult(f"{name} does not say how large the picture is.")
    return init


def first_codec(one: Representation) -> str:
    return one.codecs.partition(",")[0].strip()


def codec_family(codec: str) -> str:
    name = codec.partition(".")[0]
    return SAME_CODEC.get(name, name).lower()


def make_track(
    one: Representation,
    init: InitSegment,
    earlier: Sequence[str],
    listed: Sequence[str],
    results: Mapping[str, MediaSegment | BadMp4],
) -> DashTrack:
    """The track of a representation. Raises BadResult when a segment is broken, or not where the manifest has it."""
    segments = [require_segment(results[name], name) for name in listed]
    # The origin follows from a segment whose time is known. The first one of a timeline may begin with samples that are
    # never heard, and which the timeline leaves out: then the second one is used.
    known = min(1, len(listed) - 1) if one.has_timeline else 0
    origin = segments[known].decode_time - round(Fraction(one.segments[known].time * init.timescale, one.timescale))
    for name, segment, entry in zip(listed, segments, one.segments, strict=True):
        apart_s = Fraction(segment.decode_time - origin, init.timescale) - Fraction(entry.time, one.timescale)
        if 2 * abs(apart_s) > Fraction(entry.duration, one.timescale):
            raise BadResult(f"{name} begins {in_seconds(abs(apart_s))} from where {layout.MANIFEST} has it.")
    files = list(listed)
    for name in reversed(earlier):
        before = results[name]
        # A file that does not lead on to the next segment is left over from something else.
        if segments[0].decode_time <= origin or isinstance(before, BadMp4) or not leads_on(before, segments[0], init):
            break
        files.insert(0, name)
        segments.insert(0, before)
    for (name, before), (following, after) in pairwise(zip(files, segments, strict=True)):
        if not leads_on(before, after, init):
            raise BadResult(f"{following} does not begin where {name} ends.")
    if not segments[0].starts_with_sync:
        raise BadResult(f"{files[0]} does not begin with a picture that decodes by itself.")
    return DashTrack(one, init, tuple(files), tuple(segments), origin)


def require_segment(segment: MediaSegment | BadMp4, name: str) -> MediaSegment:
    if isinstance(segment, BadMp4):
        raise BadResult(f"{name} is no segment that can be taken: {segment}.")
    return segment


def leads_on(one: MediaSegment, following: MediaSegment, init: InitSegment) -> bool:
    gap_s = Fraction(following.decode_time - one.end, init.timescale)
    return abs(gap_s) <= MAX_GAP_S and following.decode_time > one.decode_time


def in_seconds(duration_s: Fraction) -> str:
    return f"{float(duration_s):.1f} s"
