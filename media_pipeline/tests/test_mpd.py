"""Manifests of DASH: how they are read, and each way in which one is refused."""

from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder

import pytest

from media_pipeline.external import mpd as mpd_module
from media_pipeline.external.mpd import (
    MAX_SEGMENTS,
    BadManifest,
    DashManifest,
    ListedSegment,
    parse_duration,
    parse_mpd,
)

TEMPLATE = '<SegmentTemplate timescale="1000" media="c-$RepresentationID$-$Number%05d$.m4s" initialization="i.m4s">'
TIMELINE = '<SegmentTimeline><S t="500" d="2000" r="1"/><S d="1000"/></SegmentTimeline>'
SEGMENTS = f"{TEMPLATE}{TIMELINE}</SegmentTemplate>"
PICTURE = 'id="v" mimeType="video/mp4" codecs="avc1.64001e" bandwidth="900" width="640" height="360" frameRate="25/1"'


def mpd(
    segments: str = SEGMENTS, *, attributes: str = "", period: str = "", adaptation: str = "", picture: str = PICTURE
) -> str:
    """A manifest with one picture, whose representation has these `segments`."""
    return (
        f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' mediaPresentationDuration="PT5S" {attributes}><Period>{period}<AdaptationSet lang="de">{adaptation}'
        f"<Representation {picture}>{segments}</Representation></AdaptationSet></Period></MPD>"
    )


def listed(text: str) -> list[tuple[str, int, int]]:
    """Name, time and duration of each segment of the first representation."""
    (one,) = parse_mpd(text).representations
    return [(one.segment_name(segment), segment.time, segment.duration) for segment in one.segments]


def test_a_timeline_names_each_segment_and_when_it_plays() -> None:
    manifest = parse_mpd(mpd())
    (one,) = manifest.representations
    assert (manifest.duration_s, one.frame_rate) == (Fraction(5), Fraction(25))
    assert (one.kind, one.codecs, one.bandwidth, one.language) == ("video", "avc1.64001e", 900, "de")
    assert (one.timescale, one.init) == (1000, "i.m4s")
    assert listed(mpd()) == [("c-v-00001.m4s", 500, 2000), ("c-v-00002.m4s", 2500, 2000), ("c-v-00003.m4s", 4500, 1000)]


@pytest.mark.parametrize(
    ("timeline", "times"),
    [
        ('<S d="2000" r="1"/>', [0, 2000]),
        ('<S t="0" d="2000" r="-1"/><S t="5000" d="1"/>', [0, 2000, 4000, 5000]),
        ('<S t="1000" d="1500" r="-1"/>', [1000, 2500, 4000]),
        ('<S t="0" d="1000"/><S t="3000" d="1000"/>', [0, 3000]),
    ],
)
def test_repeats_and_jumps_are_followed(timeline: str, times: list[int]) -> None:
    text = mpd(f"{TEMPLATE}<SegmentTimeline>{timeline}</SegmentTimeline></SegmentTemplate>")
    assert [time for _, time, _ in listed(text)] == times


def test_the_offset_and_the_first_number_are_heeded() -> None:
    template = TEMPLATE.replace(">", ' startNumber="7" presentationTimeOffset="500">')
    assert listed(mpd(f"{template}{TIMELINE}</SegmentTemplate>"))[0] == ("c-v-00007.m4s", 0, 2000)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("$RepresentationID$/$Number$.m4s", "v/1.m4s"),
        ("t$Time$.m4s", "t500.m4s"),
        ("t$Time%08d$.m4s", "t00000500.m4s"),
        ("$Bandwidth$_$Number%03d$.m4s", "900_001.m4s"),
        ("$$-$Number$.m4s", "$-1.m4s"),
    ],
)
def test_names_are_made_of_their_identifiers(template: str, name: str) -> None:
    text = mpd(SEGMENTS.replace("c-$RepresentationID$-$Number%05d$.m4s", template))
    assert listed(text)[0][0] == name


def test_a_template_is_inherited_and_the_nearest_value_counts() -> None:
    period = '<SegmentTemplate timescale="1" startNumber="3" media="p-$Number$.m4s" initialization="p.m4s"/>'
    adaptation = '<SegmentTemplate timescale="1000" media="a-$Number$.m4s"/>'
    text = mpd(f"<SegmentTemplate>{TIMELINE}</SegmentTemplate>", period=period, adaptation=adaptation)
    (one,) = parse_mpd(text).representations
    assert (one.init, one.timescale, listed(text)[0][0]) == ("p.m4s", 1000, "a-3.m4s")


def test_folders_of_all_levels_are_joined() -> None:
    text = mpd(f"<BaseURL>high/</BaseURL>{SEGMENTS}", period="<BaseURL>./</BaseURL>")
    assert listed(text)[0][0] == "high/c-v-00001.m4s"


def test_segments_of_equal_length_are_counted_from_the_length_of_the_film() -> None:
    text = mpd(TEMPLATE.replace(">", ' duration="2000" presentationTimeOffset="90"/>'))
    assert [time for _, time, _ in listed(text)] == [0, 2000, 4000]


def test_elements_of_other_namespaces_are_left_out() -> None:
    text = mpd().replace("<Period>", '<x:Period xmlns:x="urn:x"><AdaptationSet/></x:Period><Period>')
    assert len(parse_mpd(text).representations) == 1


def test_captions_and_other_pictures_are_left_out() -> None:
    captions = '<AdaptationSet contentType="text"><Representation id="t" mimeType="text/vtt"/></AdaptationSet>'
    sign = f'<AdaptationSet><Role value="sign"/><Representation {PICTURE}>{SEGMENTS}</Representation></AdaptationSet>'
    text = mpd().replace("</Period>", f"{captions}{sign}</Period>")
    assert [one.id for one in parse_mpd(text).representations] == ["v"]


ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE MPD [<!ENTITY e0 "ha">{ENTITIES}]>'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no XML"),
        ("<MPD", "no XML"),
        ("<MPD/>", "no XML of urn:mpeg"),
        (mpd().replace("MPD", "mpd"), "is no MPD"),
        (mpd() + "\ud800", "no XML"),
        (mpd().replace("<MPD", f"{BOMB}<MPD").replace("PT5S", "&e9;"), "document type"),
        (mpd().replace("<MPD", '<!DOCTYPE MPD SYSTEM "http://127.0.0.1/x.dtd"><MPD'), "document type"),
        (mpd(period="<a>" * 30 + "</a>" * 30), "too deep"),
        (mpd(attributes='type="dynamic"'), "dynamic"),
        (mpd().replace("<Period>", "<Period/><Period>"), "2 periods"),
        (mpd().replace("Period>", "Era>"), "0 periods"),
        (mpd(adaptation='<ContentProtection schemeIdUri="urn:x"/>'), "encrypted"),
        (mpd().replace("<AdaptationSet ", '<AdaptationSet xlink:href="http://x/" '), "lies elsewhere"),
        (mpd("<SegmentList/>"), "SegmentList"),
        (mpd('<BaseURL>all.mp4</BaseURL><SegmentBase indexRange="0-9"/>'), "SegmentBase"),
        (mpd(""), "no SegmentTemplate"),
        (mpd(picture=PICTURE.replace("video/mp4", "video/webm")), "video/webm"),
        (mpd(picture=PICTURE.replace("video/mp4", "audio/mp4")), "no picture"),
        (mpd(SEGMENTS.replace('timescale="1000"', 'timescale="0"')), "time scale is 0"),
        (mpd(SEGMENTS.replace('d="1000"', 'd="0"')), "no length"),
        (mpd(SEGMENTS.replace('d="1000"', "")), "no length"),
        (mpd(SEGMENTS.replace('d="1000"', 'd="-5"')), "no such number"),
        (mpd(SEGMENTS.replace('d="1000"', f'd="{"9" * 5000}"')), "no such number"),
        (mpd(SEGMENTS.replace('r="1"', 'r="4294967295"')), "more than 100000 segments"),
        (mpd(SEGMENTS.replace('r="1"', 'r="-1"')), "without end"),
        (mpd(SEGMENTS.replace(TIMELINE, "<SegmentTimeline/>")), "no segments"),
        (mpd(TEMPLATE.replace(">", "/>")), "how long its segments are"),
        (mpd(TEMPLATE.replace(">", ' duration="1"/>'), attributes="").replace("PT5S", "PT999999H"), "more than 100000"),
        (mpd().replace("PT5S", "five seconds"), "no duration"),
        (mpd().replace("PT5S", "P"), "no duration"),
        (mpd(picture=PICTURE.replace('"900"', '"fast"')), "no such number"),
        (mpd(SEGMENTS.replace('media="', f'media="{"m" * 190}')), "more than 200 characters"),
        (mpd(SEGMENTS.replace('initialization="', f'initialization="{"i" * 200}')), "more than 200 characters"),
        (mpd(SEGMENTS.replace('media="', 'media="' + "$Number%099d$" * 3)), "more than 200 characters"),
        (mpd(picture=PICTURE.replace('id="v"', f'id="{"v" * 999}"')), "more than 200 characters"),
        (mpd(f"<BaseURL>{'a/' * 200}</BaseURL>{SEGMENTS}"), "more than 200 characters"),
        (mpd(SEGMENTS.replace('media="', f'media="{"m" * 1000}')), "Representation has a text"),
        (mpd(picture=PICTURE.replace('id="v"', f'id="{"v" * 1001}"')), "Representation has a text"),
        (mpd(adaptation=f"<BaseURL>{'a/' * 501}</BaseURL>"), "AdaptationSet has a text"),
        (mpd(attributes=f'id="{"m" * 1001}"'), "MPD has a text"),
        (mpd().replace("</AdaptationSet>", mpd()[mpd().index("<Rep") : mpd().index("</Period")]), "same id"),
    ],
)
def test_each_unusable_manifest_has_its_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadManifest) as refused:
        read_all(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("template", ["c-$SubNumber$-$Number$.m4s", "$Nothing$.m4s"])
def test_an_unknown_identifier_is_refused(template: str) -> None:
    with pytest.raises(BadManifest, match="not known"):
        read_all(mpd(SEGMENTS.replace("c-$RepresentationID$-$Number%05d$.m4s", template)))


def read_all(text: str) -> DashManifest:
    manifest = parse_mpd(text)
    for one in manifest.representations:
        assert one.init
        assert all(one.segment_name(segment) for segment in one.segments)
    return manifest


@pytest.mark.parametrize(
    ("text", "rate"),
    [("25", 25), ("30000/1001", Fraction(30000, 1001)), ("25/0", None), ("0", None), ("9999999", None), ("fast", None)],
)
def test_a_frame_rate_is_a_fraction_or_not_known(text: str, rate: Fraction | None) -> None:
    (one,) = parse_mpd(mpd(picture=PICTURE.replace("25/1", text))).representations
    assert one.frame_rate == rate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT21.0S", 21),
        ("PT1H2M3.5S", Fraction("3723.5")),
        ("P1DT1S", 86_401),
        ("PT0S", 0),
        ("PT0H3M1.63S", Fraction("181.63")),
    ],
)
def test_durations_are_exact(text: str, seconds: Fraction) -> None:
    assert parse_duration(text) == seconds


# --- limits ----------------------------------------------------------------------------------------------------------


def representation(identity: str, segments: str = SEGMENTS) -> str:
    picture = PICTURE.replace('"v"', f'"{identity}"')
    return f"<Representation {picture}>{segments}</Representation>"


def with_sets(*sets: str) -> str:
    return mpd().replace("</Period>", "".join(f"<AdaptationSet {one}</AdaptationSet>" for one in sets) + "</Period>")


@pytest.fixture
def listed_segments(monkeypatch: pytest.MonkeyPatch) -> list[ListedSegment]:
    """A list that gets an entry for each ListedSegment that is made."""
    made: list[ListedSegment] = []

    def make(*numbers: int) -> ListedSegment:
        made.append(ListedSegment(*numbers))
        return made[-1]

    monkeypatch.setattr(mpd_module, "ListedSegment", make)
    return made


@pytest.mark.parametrize("kind", ["video", "text"])
def test_representations_are_counted_before_one_too_many_is_read(
    kind: str, listed_segments: list[ListedSegment]
) -> None:
    """Representations that are left out count too."""
    many = "".join(representation(f"v{number}") for number in range(100))
    with pytest.raises(BadManifest, match="more than 100 representations"):
        parse_mpd(with_sets(f'contentType="{kind}">{many}'))
    assert len(listed_segments) == 3


def test_segments_are_counted_over_all_representations(listed_segments: list[ListedSegment]) -> None:
    full = f'{TEMPLATE}<SegmentTimeline><S d="1" r="{MAX_SEGMENTS - 1}"/></SegmentTimeline></SegmentTemplate>'
    many = "".join(representation(f"v{number}", "") for number in range(50))
    with pytest.raises(BadManifest, match="more than 200000 segments in all"):
        parse_mpd(with_sets(f">{full}{many}"))
    assert len(listed_segments) == 3 + 2 * MAX_SEGMENTS


def test_an_adaptation_set_is_read_once_for_all_that_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set may have a hundred thousand labels and roles to look through."""
    lookups: list[str] = []

    class Counted(Element):
        def findall(self, path: str, *others: Any) -> Any:
            lookups.append(f"{self.tag} {path}")
            return super().findall(path, *others)

        def findtext(self, path: str, *others: Any) -> Any:
            lookups.append(f"{self.tag} {path}")
            return super().findtext(path, *others)

    monkeypatch.setattr(mpd_module, "TreeBuilder", lambda: TreeBuilder(element_factory=Counted))
    text = mpd().replace("</AdaptationSet>", "".join(map(representation, "abcdefgh")) + "</AdaptationSet>")
    assert len(parse_mpd(text).representations) == 9
    of_levels_above = [one for one in lookups if one.startswith(("MPD ", "Period ", "AdaptationSet "))]
    assert "AdaptationSet Role" in of_levels_above
    assert len(set(of_levels_above)) == len(of_levels_above)


def test_elements_are_counted_before_they_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpd_module, "MAX_ELEMENTS", 8)
    assert parse_mpd(mpd())
    with pytest.raises(BadManifest, match="more than 8 elements"):
        parse_mpd(mpd(period="<Event/>"))
