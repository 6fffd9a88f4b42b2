"""Playlists, written and read."""

from dataclasses import replace
from fractions import Fraction

import pytest

from media_pipeline.packaging.playlists import (
    AudioVariant,
    CaptionVariant,
    Segment,
    VideoVariant,
    average_bps,
    bandwidths,
    captions_playlist,
    iframe_playlist,
    master_playlist,
    media_playlist,
    parse_segments,
    peak_bps,
    target_duration,
    uris,
    with_captions,
)
from media_pipeline.tests.golden import golden

FOUR_S = Fraction(96 * 1001, 24000)
SEGMENTS = (
    Segment(1500, 400_000, FOUR_S, 20_000),
    Segment(466_000, 350_000, FOUR_S, 18_000),
    Segment(880_000, 90_000, Fraction(24 * 1001, 24000), 17_000),
)
SOUND_SEGMENTS = (
    Segment(401_500, 64_500, Fraction(189 * 1024, 48000)),
    Segment(816_000, 64_000, Fraction(188 * 1024, 48000)),
    Segment(970_000, 16_000, Fraction(47 * 1024, 48000)),
)
SMALL = VideoVariant("360p", 640, 360, Fraction(24000, 1001), "avc1.64001e", SEGMENTS)
LARGE = replace(SMALL, name="720p", width=1280, height=720, codec="avc1.64001f")
SOUND = AudioVariant("", "360p.mp4", "de", "Deutsch", "mp4a.40.2", SOUND_SEGMENTS)


def test_the_master_playlist_with_sound_is_exactly_this() -> None:
    assert master_playlist([SMALL, LARGE], [SOUND]) == golden("master.m3u8")


def test_the_master_playlist_without_sound_is_exactly_this() -> None:
    assert master_playlist([SMALL], []) == golden("master_silent.m3u8")


def test_the_media_playlist_is_exactly_this() -> None:
    assert media_playlist("360p.mp4", "360p.init.mp4", SEGMENTS) == golden("media.m3u8")


def test_the_iframe_playlist_is_exactly_this() -> None:
    assert iframe_playlist("360p.mp4", "360p.init.mp4", SEGMENTS) == golden("iframes.m3u8")


def test_an_unknown_language_is_not_named() -> None:
    assert "LANGUAGE" not in master_playlist([SMALL], [replace(SOUND, language="und")])


def test_the_master_playlist_with_two_languages_and_captions_is_exactly_this() -> None:
    english = replace(SOUND, key="en", file="audio_en.mp4", language="en", name="English")
    captions = [CaptionVariant("de", "Deutsch", "captions_de.m3u8"), CaptionVariant("und", 'A "title"', "/x/y.m3u8")]

    master = with_captions(master_playlist([SMALL, LARGE], [SOUND, english]), captions)

    assert master == golden("master_languages.m3u8")


def test_captions_of_the_same_label_say_their_language() -> None:
    captions = [CaptionVariant("de", "Full", "a.m3u8"), CaptionVariant("en", "Full", "b.m3u8")]
    master = with_captions(master_playlist([SMALL], []), captions)

    assert 'NAME="Full (de)"' in master
    assert 'NAME="Full (en)"' in master


def test_without_captions_the_master_playlist_stays_as_it_is() -> None:
    assert with_captions(golden("master.m3u8"), []) == golden("master.m3u8")


def test_the_soundtrack_with_the_highest_rate_counts() -> None:
    loud = replace(SOUND, key="en", segments=tuple(replace(one, size=3 * one.size) for one in SOUND_SEGMENTS))

    assert bandwidths(SMALL, [SOUND, loud]) == bandwidths(SMALL, [loud])


def test_the_captions_are_one_segment_as_long_as_the_film() -> None:
    assert captions_playlist("captions_de.vtt", Fraction(21, 2)) == golden("captions.m3u8")


def test_every_name_in_a_playlist_is_found_in_order() -> None:
    assert uris(golden("master.m3u8")) == [
        "audio.m3u8", "360p.m3u8", "720p.m3u8", "iframes_360p.m3u8", "iframes_720p.m3u8",
    ]  # fmt: skip
    assert uris(golden("media.m3u8")) == ["360p.init.mp4", "360p.mp4", "360p.mp4", "360p.mp4"]
    assert uris("") == []


def test_segments_survive_the_round_trip_to_a_microsecond() -> None:
    read = parse_segments(media_playlist("360p.mp4", "360p.init.mp4", SEGMENTS))

    assert [file for file, _ in read] == ["360p.mp4"] * 3
    assert [(s.offset, s.size) for _, s in read] == [(s.offset, s.size) for s in SEGMENTS]
    for (_, segment), written in zip(read, SEGMENTS, strict=True):
        assert abs(segment.duration_s - written.duration_s) <= Fraction(1, 1_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#EXTM3U\n",
        "#EXTINF:4,\n360p.mp4\n#EXT-X-ENDLIST\n",
        golden("media.m3u8").removesuffix("#EXT-X-ENDLIST\n"),
        "#EXTM3U\n#EXTINF:4.0,\n360p.mp4\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-BYTERANGE:5@0\n360p.mp4\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:4.0,\n#EXT-X-BYTERANGE:5\n360p.mp4\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:soon,\n#EXT-X-BYTERANGE:5@0\n360p.mp4\n#EXT-X-ENDLIST\n",
    ],
)
def test_an_unfinished_or_broken_playlist_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - verify catches every ValueError
        parse_segments(text)


# --- rates -----------------------------------------------------------------------------------------------------------


def segments(*rates_and_durations: tuple[int, str]) -> tuple[Segment, ...]:
    """Segments with these bits a second and seconds."""
    return tuple(
        Segment(0, int(rate * Fraction(duration) / 8), Fraction(duration)) for rate, duration in rates_and_durations
    )


@pytest.mark.parametrize(
    ("listed", "peak"),
    [
        (segments((800, "4")), 800),
        (segments((800, "4"), (1600, "4"), (400, "4")), 1600),
        # A segment below half a target duration is no peak alone (RFC 8216bis), but counts together with its neighbour.
        (segments((800, "4"), (80_000, "0.1")), 2732),
        (segments((800, "4"), (1600, "2")), 1600),
        # The film has one frame.
        (segments((100_000, "0.04")), 100_000),
    ],
)
def test_the_peak_is_over_half_to_one_and_a_half_target_durations(listed: tuple[Segment, ...], peak: int) -> None:
    assert peak_bps(listed) == pytest.approx(peak, rel=0.001)


def test_the_average_is_all_bytes_over_all_time_rounded_up() -> None:
    assert average_bps(segments((800, "4"), (1600, "4"))) == 1200
    assert average_bps((Segment(0, 1, Fraction(3)),)) == 3
    assert average_bps(()) == 0


def test_a_variants_rates_include_its_sound() -> None:
    peak, average = bandwidths(SMALL, [SOUND])

    assert peak == peak_bps(SEGMENTS) + peak_bps(SOUND_SEGMENTS)
    assert average == average_bps(SEGMENTS) + average_bps(SOUND_SEGMENTS)
    assert bandwidths(SMALL, []) == (peak_bps(SEGMENTS), average_bps(SEGMENTS))


@pytest.mark.parametrize(
    ("durations", "target"), [(["4.004", "2"], 4), (["4.5"], 5), (["4.49"], 4), (["0.04"], 1), ([], 1)]
)
def test_the_target_duration_is_the_longest_segment_rounded(durations: list[str], target: int) -> None:
    assert target_duration([Segment(0, 1, Fraction(duration)) for duration in durations]) == target
