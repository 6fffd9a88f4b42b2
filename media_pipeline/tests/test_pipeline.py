"""The whole pipeline with real ffmpegs, its output checked by frames, times and bytes."""

import re
import shutil
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from media_pipeline import layout, playlists
from media_pipeline.errors import NoVideoStream
from media_pipeline.ffmpeg.locate import bundled_ffmpeg, fault_of
from media_pipeline.ffmpeg.progress import Progress
from media_pipeline.ladder import DEFAULT_LADDER, parse_ladder
from media_pipeline.pipeline import Job, process
from media_pipeline.plan import PlanSettings
from media_pipeline.tests import reader
from media_pipeline.tests.versions import SMALL_LADDER, Studio, Version
from tests.clips import Clip, beep, flash

AAC_FRAME_S = Fraction(1024, 48000)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A clip and what must come out of it: rate, frames and the size of each rung, lowest first."""

    clip: Clip
    rate: str
    frames: int
    sizes: tuple[tuple[int, int], ...]
    ladder: tuple[str, ...] = SMALL_LADDER
    is_variable: bool = False


CASES = {
    "landscape": Case(
        clip=Clip(size="1280x720", rate="24000/1001", duration_s=4.046, channels="5.1"),
        rate="24000/1001", frames=97, sizes=((214, 120), (640, 360), (1280, 720)), ladder=DEFAULT_LADDER,
    ),
    "broadcast": Case(
        clip=Clip(size="426x240", rate="30000/1001", duration_s=6.006),
        rate="30000/1001", frames=180, sizes=((212, 120), (426, 240)),
    ),
    "50 frames": Case(
        clip=Clip(rate="50", duration_s=4.2, channels="mono"), rate="50", frames=210, sizes=((214, 120),)
    ),
    "120 frames": Case(
        clip=Clip(rate="120", duration_s=2, container="mov"), rate="60", frames=120, sizes=((214, 120),)
    ),
    "portrait": Case(
        clip=Clip(size="720x1280", duration_s=2),
        rate="25", frames=50, sizes=((120, 214), (360, 640), (720, 1280)), ladder=DEFAULT_LADDER,
    ),
    "turned": Case(clip=Clip(size="426x240", rotation=90), rate="25", frames=50, sizes=((120, 212), (240, 426))),
    "upside down": Case(clip=Clip(rotation=180), rate="25", frames=50, sizes=((214, 120),)),
    "odd size": Case(
        clip=Clip(size="640x360", filters="format=yuv444p,crop=637:359:exact=1", pixels="yuv444p"),
        rate="25", frames=50, sizes=((212, 120), (426, 240)),
    ),
    "wide pixels": Case(clip=Clip(size="360x288", sar="16/11"), rate="25", frames=50, sizes=((218, 120), (436, 240))),
    "silent": Case(clip=Clip(rate="30", duration_s=4.5, sound=""), rate="30", frames=135, sizes=((214, 120),)),
    "tiny": Case(clip=Clip(size="32x18", rate="10"), rate="10", frames=20, sizes=((32, 18),)),
    "one frame": Case(clip=Clip(duration_s=0.04, sound=""), rate="25", frames=1, sizes=((214, 120),)),
    "one frame with sound": Case(clip=Clip(duration_s=0.04), rate="25", frames=1, sizes=((214, 120),)),
    "millisecond clock": Case(
        clip=Clip(rate="24000/1001", duration_s=2.002, container="mkv"),
        rate="24000/1001", frames=48, sizes=((214, 120),),
    ),
    "webm without a duration": Case(
        clip=Clip(container="webm", codec=("libvpx", "-deadline", "realtime", "-cpu-used", "8"), flags=("-live", "1")),
        rate="25", frames=50, sizes=((214, 120),),
    ),
    "varying": Case(
        clip=Clip(rate="30", duration_s=3, filters="select='mod(n,5)-3'", flags=("-fps_mode", "vfr")),
        rate="30", frames=90, sizes=((214, 120),), is_variable=True,
    ),
}  # fmt: skip
SOUNDING = [name for name, case in CASES.items() if case.clip.sound]
SILENT = [name for name in CASES if name not in SOUNDING]
FFMPEGS = {path: name for path, name in ((shutil.which("ffmpeg"), "on PATH"), (bundled_ffmpeg(), "bundled")) if path}


@pytest.fixture(scope="module", params=[path for path in FFMPEGS if not fault_of(path)], ids=FFMPEGS.get)
def ffmpeg(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture
def version(studio: Studio, ffmpeg: str, name: str) -> Version:
    case = CASES[name]
    return studio.version(name, case.clip, ffmpeg, case.ladder)


@pytest.fixture
def landscape(studio: Studio, ffmpeg: str) -> Version:
    return studio.version("landscape", CASES["landscape"].clip, ffmpeg, DEFAULT_LADDER)


every_case = pytest.mark.parametrize("name", CASES)
every_case_with_sound = pytest.mark.parametrize("name", SOUNDING)


# --- the picture -----------------------------------------------------------------------------------------------------


@every_case
def test_every_rung_has_exactly_the_frames_of_the_plan(version: Version, name: str) -> None:
    counts = {rung: len(pictures) for rung, pictures in version.pictures.items()}

    assert counts == dict.fromkeys(version.rungs, CASES[name].frames)
    assert version.made.plan.frames == version.made.package.frames == CASES[name].frames


@every_case
def test_the_first_frame_is_at_0_and_all_last_equally_long(version: Version, name: str) -> None:
    rate = Fraction(CASES[name].rate)
    for pictures in version.pictures.values():
        assert [picture.time_s for picture in pictures] == [number / rate for number in range(len(pictures))]


@every_case
def test_the_rungs_have_the_sizes_of_the_ladder(version: Version, name: str) -> None:
    assert tuple(reader.read_size(version.media(rung)) for rung in version.rungs) == CASES[name].sizes


@every_case
def test_every_segment_starts_with_an_idr_frame_at_the_same_instant_in_every_rung(version: Version, name: str) -> None:
    step, frames = version.made.plan.segment_frames, CASES[name].frames
    expected = [number / Fraction(CASES[name].rate) for number in range(0, frames, step)]

    for rung in version.rungs:
        durations = [segment.duration_s for _, segment in version.segments(layout.playlist_file(rung))]
        starts = [Fraction(0), *accumulate(durations)][:-1]
        assert reader.read_idr_times(version.media(rung)) == expected
        assert starts == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["varying"])
def test_a_varying_rate_is_recognised(version: Version, name: str) -> None:
    assert version.made.source.is_variable_rate


@pytest.mark.parametrize(("name", "rotation"), [("turned", 90), ("upside down", 180)])
def test_rotation_turns_the_picture_itself(studio: Studio, version: Version, name: str, rotation: int) -> None:
    unturned = reader.read_pictures(studio.clip(name, CASES[name].clip))[0].grey
    turned = version.pictures[version.rungs[-1]][0].grey

    expected = unturned[::-1] if rotation == 180 else turned_right(unturned)
    assert difference(turned, expected) < difference(turned, unturned) / 2
    assert difference(turned, expected) < 25


def turned_right(grey: bytes) -> bytes:
    """A 64×36 picture turned clockwise and squeezed into the same shape, as the reader squeezes what it shows."""
    return bytes(grey[(35 - x * 36 // 64) * 64 + y * 64 // 36] for y in range(36) for x in range(64))


def difference(one: bytes, other: bytes) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


# --- the sound -------------------------------------------------------------------------------------------------------


@every_case_with_sound
def test_the_sound_is_stereo_and_as_long_as_the_picture(version: Version, name: str) -> None:
    sound = version.sound

    assert (sound.rate, sound.channels) == (48000, 2)
    assert sound.start_s == 0
    assert abs(sound.duration_s - version.duration_s) <= AAC_FRAME_S


@pytest.mark.parametrize("name", SILENT)
def test_without_sound_nothing_speaks_of_sound(version: Version, name: str) -> None:
    assert version.made.package.audio is None
    assert "mp4a" not in version.playlist(layout.MASTER)
    assert "AUDIO" not in version.playlist(layout.MASTER)
    assert not (version.out / layout.AUDIO_PLAYLIST).exists()
    assert len(reader.read_codecs(version.media(version.rungs[0]))) == 1


@pytest.mark.parametrize("name", ["broadcast", "50 frames", "landscape"])
def test_mono_keeps_its_loudness_and_surround_gains_what_its_channels_add(version: Version, name: str) -> None:
    """A sine of lavfi peaks at 1/8. Front, centre and back add up to 1 + 0.7 + 0.7 times that, less 3 dB."""
    expected = 0.125 * (2.414 * 0.7079 if name == "landscape" else 1)

    assert version.sound.peak() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("delay_s", [0.0, 0.4, -0.4])
def test_picture_and_sound_stay_as_far_apart_as_they_were(studio: Studio, ffmpeg: str, delay_s: float) -> None:
    clip = Clip(
        rate="30000/1001", duration_s=5, picture="color=black", filters=flash(4.5), sound=beep(4.5),
        size="160x120", sound_delay_s=delay_s,
    )  # fmt: skip
    version = studio.version(f"flash and beep {delay_s}", clip, ffmpeg)
    flashed = next(picture.time_s for picture in version.pictures["120p"] if picture.brightness > reader.BRIGHT)

    one_frame_s = 1001 / 30000
    assert version.sound.first_loud_s() - float(flashed) == pytest.approx(delay_s, abs=one_frame_s)
    assert float(flashed) == pytest.approx(4.5 + max(0.0, -delay_s), abs=one_frame_s)


# --- the playlists ---------------------------------------------------------------------------------------------------


def attributes(line: str) -> dict[str, str]:
    """`NAME=value` pairs of a tag, quotes kept off."""
    pairs = re.findall(r'([A-Z-]+)=("[^"]*"|[^,]*)', line)
    return {name: value.strip('"') for name, value in pairs}


def variants(version: Version) -> dict[str, dict[str, str]]:
    lines = version.playlist(layout.MASTER).splitlines()
    tags = [number for number, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF")]
    return {lines[number + 1].removesuffix(".m3u8"): attributes(lines[number]) for number in tags}


def rates(version: Version, playlist: str) -> tuple[list[float], float]:
    """Of the segments as long as a peak counts, and of all together, in bits a second."""
    segments = [segment for _, segment in version.segments(playlist)]
    longest = max(segment.duration_s for segment in segments)
    counted = [float(8 * s.size / s.duration_s) for s in segments if 2 * s.duration_s >= longest]
    return counted, float(8 * sum(s.size for s in segments) / sum(s.duration_s for s in segments))


@every_case
def test_the_master_playlist_promises_what_the_files_are(version: Version, name: str) -> None:
    listed = variants(version)

    assert list(listed) == version.rungs
    for rung, size in zip(version.rungs, CASES[name].sizes, strict=True):
        assert listed[rung]["RESOLUTION"] == "{}x{}".format(*size)
        assert listed[rung]["FRAME-RATE"] == f"{float(Fraction(CASES[name].rate)):.3f}"
        assert listed[rung]["CODECS"] == ",".join(reader.read_codecs(version.media(rung)))


@every_case
def test_the_bandwidths_are_those_of_the_bytes(version: Version, name: str) -> None:
    sound_peaks, sound_average = rates(version, layout.AUDIO_PLAYLIST) if name in SOUNDING else ([0.0], 0.0)
    for rung, listed in variants(version).items():
        peaks, average = rates(version, layout.playlist_file(rung))
        assert int(listed["BANDWIDTH"]) >= max(peaks) + max(sound_peaks)
        assert int(listed["AVERAGE-BANDWIDTH"]) == pytest.approx(average + sound_average, rel=0.01)
        assert int(listed["BANDWIDTH"]) >= int(listed["AVERAGE-BANDWIDTH"])


@every_case
def test_everything_that_is_named_is_there_and_nothing_else(version: Version, name: str) -> None:
    named = {layout.MASTER, layout.POSTER}
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
    ranges, listed = version.ranges(layout.AUDIO_PLAYLIST), version.segments(layout.AUDIO_PLAYLIST)
    # The first frame of all is the encoder's priming: it lies before 0 and is not heard.
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
        wanted = pictures[len(pictures) * 7 // 10]
        found = reader.read_pictures_from(version.media(rung), wanted.time_s)
        assert found[0] == pictures[version.made.plan.segment_frames]
        assert wanted in found


# --- the poster ------------------------------------------------------------------------------------------------------


@every_case
def test_the_poster_is_as_large_as_the_best_rung(version: Version, name: str) -> None:
    assert reader.read_size(version.out / layout.POSTER) == CASES[name].sizes[-1]


def test_the_poster_of_a_film_that_fades_in_is_not_black(studio: Studio, ffmpeg: str) -> None:
    clip = Clip(rate="10", duration_s=5, filters="fade=in:st=1:d=2", sound="")
    version = studio.version("fades in", clip, ffmpeg)
    (poster,) = reader.read_pictures(version.out / layout.POSTER)
    pictures = version.pictures["120p"]

    assert pictures[0].brightness < 20
    assert poster.brightness > 0.9 * pictures[-1].brightness


# --- what it refuses, and how it tells -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "job"
    for name in ("work", "out"):
        (path / name).mkdir(parents=True)
    return path


def run(folder: Path, source: Path, ffmpeg: str, report: Any = lambda progress: None) -> None:
    work, out = folder / "work", folder / "out"
    process(Job(source, work, out, ffmpeg, PlanSettings(ladder=parse_ladder(SMALL_LADDER)), report))


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_sound_alone_is_refused(studio: Studio, ffmpeg: str, folder: Path, container: str) -> None:
    source = studio.clip(f"sound in {container}", Clip(picture="", container=container))

    with pytest.raises(NoVideoStream):
        run(folder, source, ffmpeg)
    assert list((folder / "out").iterdir()) == []


def test_progress_is_told_and_never_goes_back(studio: Studio, ffmpeg: str, folder: Path) -> None:
    told: list[Progress | None] = []
    run(folder, studio.clip("broadcast", CASES["broadcast"].clip), ffmpeg, told.append)
    percents = [progress.percent for progress in told if progress]

    assert None in told, "also while there is nothing new to tell"
    assert percents == sorted(percents)
    assert all(0 <= percent <= 100 for percent in percents)


class ClaimLost(Exception):
    """What a caller may raise to stop."""


def test_the_caller_may_stop_the_encoder(studio: Studio, ffmpeg: str, folder: Path) -> None:
    def stop(progress: Progress | None) -> None:
        if progress:
            raise ClaimLost

    with pytest.raises(ClaimLost):
        run(folder, studio.clip("broadcast", CASES["broadcast"].clip), ffmpeg, stop)
    assert list((folder / "out").iterdir()) == []


def test_a_language_tag_of_the_file_cannot_break_a_playlist(studio: Studio, ffmpeg: str) -> None:
    clip = Clip(size="160x120", rate="10", duration_s=1, container="mkv", language='",\n')
    version = studio.version("bad language", clip, ffmpeg)

    assert "LANGUAGE" not in version.playlist(layout.MASTER)
    assert all(line.startswith(("#EXT", "120p.m3u8")) for line in version.playlist(layout.MASTER).splitlines())


def test_cover_art_is_not_taken_for_the_picture(studio: Studio, ffmpeg: str, folder: Path) -> None:
    song = studio.clip("song", Clip(picture="testsrc2=duration=0.04", codec=("png",), pixels="rgb24", flags=COVER))

    with pytest.raises(NoVideoStream):
        run(folder, song, ffmpeg)


COVER = ("-disposition:v:0", "attached_pic")
