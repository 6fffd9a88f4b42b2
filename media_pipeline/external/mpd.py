"""Media presentation descriptions of DASH (ISO/IEC 23009-1): read into facts; pure.

Of the profile isoff-live: one period, each representation in segments named by a SegmentTemplate.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
MAX_DEPTH = 20  # elements within elements; manifests have six
MAX_ELEMENTS = 500_000
MAX_REPRESENTATIONS = 100  # those that are left out included
MAX_SEGMENTS = 100_000  # of one representation: two days of two seconds each
MAX_FILES = 200_000  # of all representations together
MAX_TEXT_LENGTH = 1000  # of an attribute or an address that is read
MAX_NAME_LENGTH = 200  # of a file with its folder; what is taken in the end is shorter
MAX_LABEL_LENGTH = 60
MAX_FRAME_RATE = 1000
KINDS = ("video", "audio")
DURATION = re.compile(
    r"P(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,12})?)S)?)?"
)
IDENTIFIER = re.compile(r"\$(?P<name>[A-Za-z]*)(?:%0(?P<width>[1-9]\d?)d)?\$")
CHANNELS = re.compile(r"[1-9]\d?")
INTEGER = re.compile(r"\d{1,18}")
SIGNED = re.compile(r"-?\d{1,18}")
RATE = re.compile(r"(\d{1,9})(?:/(\d{1,9}))?")


class BadManifest(ValueError):
    """Says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A segment as the manifest lists it, in ticks of its time scale. `time` counts from the start of the film."""

    number: int
    time: int
    media_time: int  # by which $Time$ names it
    duration: int


@dataclass(frozen=True, eq=False)  # compared by what it is: it may list a hundred thousand segments
class Representation:
    """One quality of the picture, or one soundtrack."""

    id: str
    kind: str  # video or audio
    group: int  # counts the adaptation sets
    codecs: str
    bandwidth: int
    frame_rate: Fraction | None
    language: str
    label: str
    role: str
    channels: int | None
    folder: str  # ends with a slash, unless it is the manifest's own
    init_template: str
    media_template: str
    timescale: int
    has_timeline: bool  # else all segments last about as long as the template says
    segments: tuple[Listed, ...]

    @property
    def init(self) -> str:
        return self.file(self.expand(self.init_template))

    def name_of(self, segment: Listed) -> str:
        return self.file(self.expand(self.media_template, number=segment.number, time=segment.media_time))

    def file(self, expanded: str) -> str:
        """Raises BadManifest: the first name that is too long is the last one that is made."""
        name = self.folder + expanded
        if len(name) > MAX_NAME_LENGTH:
            raise BadManifest(f"it names a file with more than {MAX_NAME_LENGTH} characters.")
        return name

    def expand(self, template: str, *, number: int | None = None, time: int | None = None) -> str:
        """Raises BadManifest for an identifier that means nothing here."""
        known = {"Bandwidth": self.bandwidth, "Number": number, "Time": time}

        def value_of(match: re.Match[str]) -> str:
            name = match["name"]
            if not name or name == "RepresentationID":
                return self.id if name else "$"
            value = known.get(name)
            if value is None:
                raise BadManifest(f"{template[:200]!r} names segments in a way that is not known.")
            return f"{value:0{match['width'] or 1}d}"

        return IDENTIFIER.sub(value_of, template)


@dataclass(frozen=True)
class DashManifest:
    representations: tuple[Representation, ...]
    duration_s: Fraction | None  # as it says itself


def parse_mpd(text: str) -> DashManifest:
    """Raises BadManifest."""
    root = parse_xml(text)
    if root.tag != "MPD":
        raise BadManifest(f"it is no MPD of {NAMESPACE}.")
    if root.get("type", "static") != "static":
        raise BadManifest("it is dynamic: it must say that nothing more will come (type=static).")
    refuse_unplayable(root)
    periods = root.findall("Period")
    if len(periods) != 1:
        raise BadManifest(f"it has {len(periods)} periods; a film has one.")
    told = root.get("mediaPresentationDuration")
    duration_s = parse_duration(told) if told else None
    period_s = parse_duration(periods[0].get("duration", "")) if periods[0].get("duration") else duration_s
    found = tuple(representations(root, periods[0], period_s))
    if not any(one.kind == "video" for one in found):
        raise BadManifest("it has no picture.")
    if len({(one.group, one.id) for one in found}) != len(found):
        raise BadManifest("two of its representations have the same id.")
    return DashManifest(found, duration_s)


def parse_xml(text: str) -> Element:
    """Elements of DASH, without their namespace; others are left out with all in them. No document type, no entities.

    Raises BadManifest.
    """
    parser, tree = expat.ParserCreate(namespace_separator=" "), Tree()
    parser.StartElementHandler, parser.EndElementHandler = tree.start, tree.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = tree.data, tree.refuse
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise BadManifest("it is no XML.") from error
    if not tree.has_root:
        raise BadManifest(f"it is no XML of {NAMESPACE}.")
    return tree.builder.close()


class Tree:
    """What the parser finds, in the order in which it does."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self.depth = self.elements = 0
        self.has_root = False
        self.foreign_depth = 0  # where an element of another namespace begins

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadManifest("its elements lie too deep within each other.")
        namespace, _, name = tag.rpartition(" ")
        if not self.foreign_depth and namespace != NAMESPACE:
            self.foreign_depth = self.depth
        if not self.foreign_depth:
            self.has_root = True
            self.elements += 1
            if self.elements > MAX_ELEMENTS:
                raise BadManifest(f"it has more than {MAX_ELEMENTS} elements.")
            self.builder.start(name, attributes)

    def end(self, tag: str) -> None:
        if not self.foreign_depth:
            self.builder.end(tag.rpartition(" ")[2])
        if self.foreign_depth == self.depth:
            self.foreign_depth = 0
        self.depth -= 1

    def data(self, characters: str) -> None:
        if self.depth and not self.foreign_depth:
            self.builder.data(characters)

    def refuse(self, *_: object) -> None:
        raise BadManifest("it declares a document type, which no manifest needs.")


def refuse_unplayable(root: Element) -> None:
    for element in root.iter():
        if element.tag == "ContentProtection":
            raise BadManifest("it is encrypted; only films that everyone's player can read are taken.")
        if any(name.endswith(" href") for name in element.attrib):
            raise BadManifest(f"a part of it lies elsewhere ({element.tag} has an xlink:href).")
        if element.tag in ("SegmentList", "SegmentBase"):
            raise BadManifest(f"it has a {element.tag}; segments must be named by a SegmentTemplate.")


@dataclass(frozen=True)
class Level:
    """An element and what those within it inherit. Read once: it may have many of them, and many other children."""

    said: Mapping[str, str]
    base: str = ""  # its first BaseURL; others lead to the same elsewhere
    template: Mapping[str, str] = field(default_factory=dict)
    timeline: Element | None = None


def read_level(element: Element) -> Level:
    templates = element.findall("SegmentTemplate")
    template = {name: value for one in templates for name, value in one.items()}
    timelines = [found for one in templates for found in one.findall("SegmentTimeline")]
    base = (element.findtext("BaseURL") or "").strip()
    if any(len(text) > MAX_TEXT_LENGTH for text in (base, *element.attrib.values(), *template.values())):
        raise BadManifest(f"its {element.tag} has a text of more than {MAX_TEXT_LENGTH} characters.")
    return Level(element.attrib, base, template, timelines[-1] if timelines else None)


def representations(root: Element, period: Element, period_s: Fraction | None) -> Iterator[Representation]:
    """Raises BadManifest as soon as there are too many of them, or of their segments."""
    above = read_level(root), read_level(period)
    representations, segments = 0, 0
    for group, adaptation in enumerate(period.findall("AdaptationSet")):
        elements = adaptation.findall("Representation")
        representations += len(elements)
        if representations > MAX_REPRESENTATIONS:
            raise BadManifest(f"it has more than {MAX_REPRESENTATIONS} representations.")
        level, role = read_level(adaptation), role_of(adaptation)
        label = (adaptation.findtext("Label") or "")[:MAX_LABEL_LENGTH]
        for element in elements:
            chain = (*above, level, read_level(element))
            mime = inherited(chain, "mimeType")
            kind = level.said.get("contentType") or mime.partition("/")[0]
            if kind not in KINDS or (kind == "video" and role not in ("", "main")):
                continue  # captions, pictures for the seek bar, another picture such as sign language
            if mime.partition("/")[2] != "mp4":
                raise BadManifest(
                    f"{element.get('id', '')[:100]!r} is {mime[:100] or 'of no type'}; only MP4 is taken."
                )
            channels = next((one.get("value", "") for one in element.findall("AudioChannelConfiguration")), "")
            found = representation(chain, period_s, kind=kind, group=group, label=label, role=role, channels=channels)
            segments += len(found.segments)
            if segments > MAX_FILES:
                raise BadManifest(f"it lists more than {MAX_FILES} segments in all.")
            yield found


def representation(
    chain: tuple[Level, ...], period_s: Fraction | None, *, kind: str, group: int, label: str, role: str, channels: str
) -> Representation:
    said: dict[str, str] = {}
    for one in chain[1:]:
        said |= one.template
    lines = next((one.timeline for one in reversed(chain[1:]) if one.timeline is not None), None)
    own = chain[-1].said
    if "media" not in said or "initialization" not in said:
        raise BadManifest(f"{own.get('id', '')[:100]!r} has no SegmentTemplate with media and initialization.")
    timescale = integer(said, "timescale", 1)
    first, offset = integer(said, "startNumber", 1), integer(said, "presentationTimeOffset", 0)
    if not timescale:
        raise BadManifest("its time scale is 0.")
    until = None if period_s is None else int(period_s * timescale)
    if lines is not None:
        listed = timeline(lines, first, offset, until)
    else:
        listed = equal_segments(integer(said, "duration", 0), first, offset, until)
    segments = tuple(listed)
    if not segments:
        raise BadManifest(f"{own.get('id', '')[:100]!r} has no segments.")
    return Representation(
        id=own.get("id", ""),
        kind=kind,
        group=group,
        codecs=inherited(chain, "codecs"),
        bandwidth=integer(own, "bandwidth", 0),
        frame_rate=parse_rate(inherited(chain, "frameRate")),
        language=inherited(chain, "lang"),
        label=label,
        role=role,
        channels=int(channels) if CHANNELS.fullmatch(channels) else None,
        folder=folder_of(chain),
        init_template=said["initialization"],
        media_template=said["media"],
        timescale=timescale,
        has_timeline=lines is not None,
        segments=segments,
    )


def role_of(adaptation: Element) -> str:
    return next((one.get("value", "") for one in adaptation.findall("Role")), "")[:MAX_LABEL_LENGTH]


def inherited(chain: tuple[Level, ...], name: str) -> str:
    return next((one.said[name] for one in reversed(chain) if name in one.said), "")


def folder_of(chain: tuple[Level, ...]) -> str:
    """Each BaseURL is relative to the one on the level above it."""
    return "".join(one.base[: one.base.rfind("/") + 1].removeprefix("./") for one in chain)


def timeline(element: Element, first: int, offset: int, until: int | None) -> Iterator[Listed]:
    number, time = first, 0
    entries = element.findall("S")
    for position, entry in enumerate(entries):
        time = integer(entry.attrib, "t", time)
        duration = integer(entry.attrib, "d", 0)
        if not duration:
            raise BadManifest("it lists a segment of no length.")
        repeats = integer(entry.attrib, "r", 0, pattern=SIGNED)
        if repeats < 0:  # up to the next one, or to the end
            following = entries[position + 1].get("t") if position + 1 < len(entries) else None
            end = int(following) if following and INTEGER.fullmatch(following) else None
            if end is None and until is not None and position + 1 == len(entries):
                end = until + offset
            if end is None:
                raise BadManifest("it repeats a segment without end.")
            repeats = max(-(-(end - time) // duration) - 1, 0)
        if number + repeats - first >= MAX_SEGMENTS:
            raise BadManifest(f"it lists more than {MAX_SEGMENTS} segments.")
        for _ in range(repeats + 1):
            yield Listed(number, time - offset, time, duration)
            number, time = number + 1, time + duration


def equal_segments(duration: int, first: int, offset: int, until: int | None) -> Iterator[Listed]:
    if not duration or not until:
        raise BadManifest("it does not tell how long its segments are, or how many there are.")
    count = -(-until // duration)
    if count > MAX_SEGMENTS:
        raise BadManifest(f"it lists more than {MAX_SEGMENTS} segments.")
    for position in range(count):
        yield Listed(first + position, position * duration, position * duration + offset, duration)


def integer(said: Mapping[str, str], name: str, default: int, pattern: re.Pattern[str] = INTEGER) -> int:
    text = said.get(name)
    if text is None:
        return default
    if not pattern.fullmatch(text.strip()):
        raise BadManifest(f"{name} is {text[:100]!r}, which is no such number.")
    return int(text)


def parse_rate(text: str) -> Fraction | None:
    """Pictures a second of `25` or `30000/1001`; None for what is no such rate."""
    match = RATE.fullmatch(text)
    if match is None or not int(match[2] or 1):
        return None
    rate = Fraction(int(match[1]), int(match[2] or 1))
    return rate if 0 < rate <= MAX_FRAME_RATE else None


def parse_duration(text: str) -> Fraction:
    """Seconds of `PT1H2M3.5S`."""
    match = DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise BadManifest(f"{text[:100]!r} is no duration.")
    days, hours, minutes = (int(match[name] or 0) for name in ("days", "hours", "minutes"))
    return Fraction(match["seconds"] or 0) + 60 * (minutes + 60 * (hours + 24 * days))
