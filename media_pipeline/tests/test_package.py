"""The files that players get: playlists compared with bytes, byte ranges with frames."""

import re
from fractions import Fraction
from itertools import accumulate

import pytest

from media_pipeline import layout
from media_pipeline.packaging import playlists
from media_pipeline.tests import reader
from media_pipeline.tests.cases import CASES, SOUNDING, every_case, every_case_with_sound
from media_pipeline.tests.versions import Version

AAC_FRAME_S = Fraction(1024, 48000)


# --- the playlists ---------------------------------------------------------------------------------------------------


def attributes(line: str) -> dict[str, str]:
    """The `NAME=value` pairs of a tag, without quotes."""
    pairs = re.findall(r'([A-Z-]+)=("[^"]*"|[^,]*)', line)
    return {name: value.strip('"') for name, value in pairs}


def variants(version: Version) -> dict[str, dict[str, str]]:
    lines = version.playlist(layout.MASTER).splitlines()
    tags = [number for number, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF")]
    return {lines[number + 1].removesuffix(".m3u8"): attributes(lines[number]) for number in tags}


def rates(version: Version, playlist: str) -> tuple[list[float], float]:
    """Bits a second: of each segment that is long enough to count as a peak, and of all segments together."""
    segments = [segment for _, segment in version.segments(playlist)]
    longest = max(segment.duration_s for segment in segments)
    counted = [float(8 * s.size / s.duration_s) for s in segments if 2 * s.duration_s >= longest]
    return counted, float(8 * sum(s.size for s in segments) / sum(s.duration_s for s in segments))


@every_case
def test_the_master_playlist_describes_the_files_as_they_are(version: Version, name: str) -> None:
    listed = variants(version)

    assert list(listed) == version.rungs
    for rung, size in zip(version.rungs, CASES[name].sizes, strict=True):
        assert listed[rung]["RESOLUTION"] == "{}x{}".format(*size)
        assert listed[rung]["FRAME-RATE"] == f"{float(Fraction(CASES[name].rate)):.3f}"
        assert listed[rung]["CODECS"] == ",".join(reader.read_codecs(version.media(rung)))


@every_case
def test_the_bandwidths_follow_from_the_bytes(version: Version, name: str) -> None:
    sound_peaks, sound_average = rates(version, layout.audio_playlist_file("")) if name in SOUNDING else ([0.0], 0.0)
    for rung, listed in variants(version).items():
        peaks, average = rates(version, layout.playlist_file(rung))
        assert int(listed["BANDWIDTH"]) >= max(peaks) + max(sound_peaks)
        assert int(listed["AVERAGE-BANDWIDTH"]) == pytest.approx(average + sound_average, rel=0.01)
        assert int(listed["BANDWIDTH"]) >= int(listed["AVERAGE-BANDWIDTH"])


@every_case
def test_all_named_files_exist_and_no_others(version: Version, name: str) -> None:
    named = {layout.MASTER, layout.STORYBOARD, layout.STORYBOARD_CUES}
    posters = {layout.poster_file(number) for number in range(1, version.made.posters + 1)}
    named |= posters | {layout.small_poster_file(poster) for poster in posters}
    for playlist in playlists.uris(version.playlist(layout.MASTER)):
        named |= {playlist, *playlists.uris(version.playlist(playlist))}

    assert {path.name for path in version.out.iterdir()} == named


@every_case
def test_every_byte_range_decodes_on_its_own_to_its_own_frames(version: Version, name: str) -> None:
    for rung in version.rungs:
        ranges, step = version.ranges(layout.playlist_file(rung)), version.made.plan.segment_frames
        for number, data in enumerate(ranges):
            whole = version.pictures[rung][number * step : (number + 1) * step]
            assert reader.read_pictures(data) == whole


@every_case_with_sound
def test_every_byte_range_of_the_sound_decodes_on_its_own(version: Version, name: str) -> None:
    ranges, listed = version.ranges(layout.audio_playlist_file("")), version.segments(layout.audio_playlist_file(""))
    # The very first frame is the encoder's priming: it is before 0 and not heard.
    starts = [start - AAC_FRAME_S for start in accumulate((s.duration_s for _, s in listed), initial=Fraction(0))]

    assert len(listed) == len(version.segments(layout.playlist_file(version.rungs[0])))
    for data, start_s, (_, segment) in zip(ranges, starts, listed, strict=False):
        times = reader.read_sound_times(data)
        assert times[0] == pytest.approx(start_s, abs=1e-5)
        assert len(times) == round(segment.duration_s / AAC_FRAME_S)
        assert reader.distances(times) <= {AAC_FRAME_S}
        assert reader.read_sound(data).duration_s >= segment.duration_s - 2 * AAC_FRAME_S


@every_case
def test_every_iframe_range_holds_one_picture(version: Version, name: str) -> None:
    step = version.made.plan.segment_frames
    for rung in version.rungs:
        shown = [reader.read_pictures(data) for data in version.ranges(layout.iframes_file(rung))]
        assert shown == [[picture] for picture in version.pictures[rung][::step]]


# --- the file as a plain video ---------------------------------------------------------------------------------------


@every_case
def test_the_whole_file_tells_its_length(version: Version, name: str) -> None:
    for rung in version.rungs:
        claimed_s = reader.read_duration_s(version.media(rung))
        assert claimed_s == pytest.approx(version.duration_s, abs=float(2 * AAC_FRAME_S))


@pytest.mark.parametrize("name", ["broadcast"])
def test_the_whole_file_seeks_to_the_segment_of_a_moment_and_shows_its_frame(version: Version, name: str) -> None:
    for rung in version.rungs:
        pictures = version.pictures[rung]
        sought = pictures[len(pictures) * 7 // 10]
        shown = reader.read_pictures_from(version.media(rung), sought.time_s)
        assert shown[0] == pictures[version.made.plan.segment_frames]
        assert sought in shown
