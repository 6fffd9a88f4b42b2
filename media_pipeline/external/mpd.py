"""Reads the manifests of DASH (media presentation descriptions, ISO/IEC 23009-1) into facts; pure.

Manifests have the profile isoff-live: one period, and segments that are named by a SegmentTemplate.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
# A manifest of a few kilobytes can claim any number of segments, so everything below is counted while it is read.

# Levels of elements within elements. Manifests have six.
MAX_DEPTH = 20
MAX_ELEMENTS = 500_000
# Representations, including those that are left out.
MAX_REPRESENTATIONS = 100
# Segments of one representation: two days in segments of two seconds.
MAX_SEGMENTS = 100_000
# Files of all representations together.
MAX_FILES = 200_000
# Characters of an attribute or an address that is read.
MAX_TEXT_LENGTH = 1000
# Characters of a file's name with its folder. Longer names would be refused later anyway (`external.hls.NAME`).
MAX_NAME_LENGTH = 200
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
    """The manifest cannot be used; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ListedSegment:
    """A segment according to the manifest, in ticks of its time scale. `time` counts from the start of the film."""

    number: int
    time: int
    media_time: int  # the value of $Time$ in its name
    duration: int


# eq=False: compared by identity, since it may list a hundred thousand segments.
@dataclass(frozen=True, eq=False)
class Representation:
    """One quality of the picture, or one soundtrack."""

    id: str
    kind: str  # video or audio
    group: int  # the number of its adaptation set
    codecs: str
    bandwidth: int
    frame_rate: Fraction | None
    language: str
    label: str
    role: str
    channels: int | None
    folder: str  # with a slash at the end; empty for the manifest's own folder
    init_template: str
    media_template: str
    timescale: int
    has_timeline: bool  # without one, all segments last about as long as the template says
    segments: tuple[ListedSegment, ...]

    @property
    def init(self) -> str:
        return self.full_name(self.expand(self.init_template))

    def segment_name(self, segment: ListedSegment) -> str:
        """The name of the segment's file. Raises BadManifest."""
        return self.full_name(self.expand(self.media_template, number=segment.number, time=segment.media_time))

    def full_name(self, expanded: str) -> str:
        # Checked name by name: a hundred thousand long ones would fill the memory before they are refused.
        name = self.folder + expanded
        if len(name) > MAX_NAME_LENGTH:
            raise BadManifest(f"it names a file with more than {MAX_NAME_LENGTH} characters.")
        return name

    def expand(self, template: str, *, number: int | None = None, time: int | None = None) -> str:
        """The template with its identifiers replaced. Raises BadManifest for an identifier without a value."""
        known = {"Bandwidth": self.bandwidth, "Number": number, "Time": time}

        def replacement(match: re.Match[str]) -> str:
            name = match["name"]
            # `$$` stands for a dollar sign.
            if not name or name == "RepresentationID":
                return self.id if name else "$"
            value = known.get(name)
            if value is None:
                raise BadManifest(f"{template[:200]!r} names segments in a way that is not known.")
            return f"{value:0{match['width'] or 1}d}"

        return IDENTIFIER.sub(replacement, template)


@dataclass(frozen=True)
class DashManifest:
    representations: tuple[Representation, ...]
    duration_s: Fraction | None  # as the manifest declares it


def parse_mpd(text: str) -> DashManifest:
    """The facts in a manifest. Raises BadManifest when it is broken, too large, or not of a kind that plays here."""
    root = parse_xml(text)
    if root.tag != "MPD":
        raise BadManifest(f"it is no MPD of {NAMESPACE}.")
    if root.get("type", "static") != "static":
        raise BadManifest("it is dynamic: it must say that nothing more will come (type=static).")
    refuse_unplayable(root)
    periods = root.findall("Period")
    if len(periods) != 1:
        raise BadManifest(f"it has {len(periods)} periods; a film has one.")
    declared = root.get("mediaPresentationDuration")
    duration_s = parse_duration(declared) if declared else None
    period_s = parse_duration(periods[0].get("duration", "")) if periods[0].get("duration") else duration_s
    representations = tuple(read_representations(root, periods[0], period_s))
    if not any(one.kind == "video" for one in representations):
        raise BadManifest("it has no picture.")
    if len({(one.group, one.id) for one in representations}) != len(representations):
        raise BadManifest("two of its representations have the same id.")
    return DashManifest(representations, duration_s)


def parse_xml(text: str) -> Element:
    """The elements of DASH, without their namespace; elements of other namespaces are left out with all in them.

    Raises BadManifest, also for a document type: entities can make gigabytes of a small text, and fetch files.
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
    """Builds the tree from the parser's events, and stops it when there are too many."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self.depth = self.elements = 0
        self.has_root = False
        # The depth of the element of another namespace that the parser is in; 0 outside of such elements.
        self.foreign_depth = 0

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
    """The parts of an element that the elements within it inherit.

    It is read once for all of them: an adaptation set may have many, and a hundred thousand other children.
    """

    attributes: Mapping[str, str]
    base: str = ""  # the first BaseURL; further ones are alternative addresses
    template: Mapping[str, str] = field(default_factory=dict)
    timeline: Element | None = None


def read_level(element: Element) -> Level:
    templates = element.findall("SegmentTemplate")
    template = {name: value for one in templates for name, value in one.items()}
    timelines = [timeline for one in templates for timeline in one.findall("SegmentTimeline")]
    base = (element.findtext("BaseURL") or "").strip()
    if any(len(text) > MAX_TEXT_LENGTH for text in (base, *element.attrib.values(), *template.values())):
        raise BadManifest(f"its {element.tag} has a text of more than {MAX_TEXT_LENGTH} characters.")
    return Level(element.attrib, base, template, timelines[-1] if timelines else None)


def read_representations(root: Element, period: Element, period_s: Fraction | None) -> Iterator[Representation]:
    """Raises BadManifest as soon as there are too many representations, or too many segments."""
    above = read_level(root), read_level(period)
    representations, segments = 0, 0
    for group, adaptation in enumerate(period.findall("AdaptationSet")):
        elements = adaptation.findall("Representation")
        representations += len(elements)
        if representations > MAX_REPRESENTATIONS:
            raise BadManifest(f"it has more than {MAX_REPRESENTATIONS} representations.")
        level = read_level(adaptation)
        role = next((one.get("value", "") for one in adaptation.findall("Role")), "")[:MAX_LABEL_LENGTH]
        label = (adaptation.findtext("Label") or "")[:MAX_LABEL_LENGTH]
        for element in elements:
            chain = (*above, level, read_level(element))
            mime = inherited(chain, "mimeType")
            kind = level.attributes.get("contentType") or mime.partition("/")[0]
            # Left out: captions, pictures for the seek bar, and other pictures, such as sign language.
            if kind not in KINDS or (kind == "video" and role not in ("", "main")):
                continue
            if mime.partition("/")[2] != "mp4":
                raise BadManifest(
                    f"{element.get('id', '')[:100]!r} is {mime[:100] or 'of no type'}; only MP4 is taken."
                )
            channels = next((one.get("value", "") for one in element.findall("AudioChannelConfiguration")), "")
            representation = make_representation(
                chain, period_s, kind=kind, group=group, label=label, role=role, channels=channels
            )
            segments += len(representation.segments)
            if segments > MAX_FILES:
                raise BadManifest(f"it lists more than {MAX_FILES} segments in all.")
            yield representation


def make_representation(
    chain: tuple[Level, ...], period_s: Fraction | None, *, kind: str, group: int, label: str, role: str, channels: str
) -> Representation:
    """The representation at the end of the chain, which has the levels from the root down. Raises BadManifest."""
    # A SegmentTemplate inherits each attribute from the level above, and its timeline as a whole.
    template: dict[str, str] = {}
    for one in chain[1:]:
        template |= one.template
    timeline = next((one.timeline for one in reversed(chain[1:]) if one.timeline is not None), None)
    own = chain[-1].attributes
    if "media" not in template or "initialization" not in template:
        raise BadManifest(f"{own.get('id', '')[:100]!r} has no SegmentTemplate with media and initialization.")
    timescale = integer(template, "timescale", 1)
    first, offset = integer(template, "startNumber", 1), integer(template, "presentationTimeOffset", 0)
    if not timescale:
        raise BadManifest("its time scale is 0.")
    until = None if period_s is None else int(period_s * timescale)
    if timeline is not None:
        segments = tuple(timeline_segments(timeline, first, offset, until))
    else:
        segments = tuple(equal_segments(integer(template, "duration", 0), first, offset, until))
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
        # Each BaseURL is relative to the one on the level above it.
        folder="".join(one.base[: one.base.rfind("/") + 1].removeprefix("./") for one in chain),
        init_template=template["initialization"],
        media_template=template["media"],
        timescale=timescale,
        has_timeline=timeline is not None,
        segments=segments,
    )


def inherited(chain: tuple[Level, ...], name: str) -> str:
    return next((one.attributes[name] for one in reversed(chain) if name in one.attributes), "")


def timeline_segments(timeline: Element, first: int, offset: int, until: int | None) -> Iterator[ListedSegment]:
    """The segments of a SegmentTimeline; `first` is the first number, `until` the end of the period if it is known."""
    number, time = first, 0
    entries = timeline.findall("S")
    for position, entry in enumerate(entries):
        time = integer(entry.attrib, "t", time)
        duration = integer(entry.attrib, "d", 0)
        if not duration:
            raise BadManifest("it lists a segment of no length.")
        repeats = integer(entry.attrib, "r", 0, pattern=SIGNED)
        # A negative number repeats the segment up to the next entry, or to the end of the period.
        if repeats < 0:
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
            yield ListedSegment(number, time - offset, time, duration)
            number, time = number + 1, time + duration


def equal_segments(duration: int, first: int, offset: int, until: int | None) -> Iterator[ListedSegment]:
    """The segments of a template without a timeline: as many as the period has room for."""
    if not duration or not until:
        raise BadManifest("it does not say how long its segments are, or how many there are.")
    count = -(-until // duration)
    if count > MAX_SEGMENTS:
        raise BadManifest(f"it lists more than {MAX_SEGMENTS} segments.")
    for position in range(count):
        yield ListedSegment(first + position, position * duration, position * duration + offset, duration)


def integer(attributes: Mapping[str, str], name: str, default: int, pattern: re.Pattern[str] = INTEGER) -> int:
    """Raises BadManifest for an attribute that is not a number of at most 18 digits."""
    text = attributes.get(name)
    if text is None:
        return default
    if not pattern.fullmatch(text.strip()):
        raise BadManifest(f"{name} is {text[:100]!r}, which is no such number.")
    return int(text)


def parse_rate(text: str) -> Fraction | None:
    """The frames a second in `25` or `30000/1001`; None for any other text, and for rates that no film has."""
    match = RATE.fullmatch(text)
    if match is None or not int(match[2] or 1):
        return None
    rate = Fraction(int(match[1]), int(match[2] or 1))
    return rate if 0 < rate <= MAX_FRAME_RATE else None


def parse_duration(text: str) -> Fraction:
    """The seconds in `PT1H2M3.5S`. Raises BadManifest for any other text."""
    match = DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise BadManifest(f"{text[:100]!r} is no duration.")
    days, hours, minutes = (int(match[name] or 0) for name in ("days", "hours", "minutes"))
    return Fraction(match["seconds"] or 0) + 60 * (minutes + 60 * (hours + 24 * days))
