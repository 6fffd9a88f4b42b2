"""The whole pipeline with real ffmpegs: picture, sound and poster, by frames, times and samples."""

from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from media_pipeline import layout
from media_pipeline.errors import NoVideoStream
from media_pipeline.ffmpeg.progress import Progress
from media_pipeline.pipeline import Job, process
from media_pipeline.planning.ladder import parse_ladder
from media_pipeline.planning.plan import PlanSettings
from media_pipeline.tests import reader
from media_pipeline.tests.cases import CASES, SILENT, every_case, every_case_with_sound
from media_pipeline.tests.versions import SMALL_LADDER, Studio, Version
from tests.clips import Clip, beep, flash, run_ffmpeg

AAC_FRAME_S = Fraction(1024, 48000)


# --- the picture -----------------------------------------------------------------------------------------------------


@every_case
def test_every_rung_has_exactly_the_frames_of_the_plan(version: Version, name: str) -> None:
    counts = {rung: len(pictures) for rung, pictures in version.pictures.items()}

    assert counts == dict.fromkeys(version.rungs, CASES[name].frames)
    assert version.made.plan.frames == version.made.package.frames == CASES[name].frames


@every_case
def test_the_first_frame_is_at_0_and_all_frames_last_equally_long(version: Version, name: str) -> None:
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
    """Returns a 64×36 picture turned clockwise and squeezed into the same shape, as the reader does."""
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
def test_a_silent_version_names_no_sound(version: Version, name: str) -> None:
    assert version.made.package.audios == ()
    assert "mp4a" not in version.playlist(layout.MASTER)
    assert "AUDIO" not in version.playlist(layout.MASTER)
    assert not (version.out / layout.audio_playlist_file("")).exists()
    assert len(reader.read_codecs(version.media(version.rungs[0]))) == 1


@pytest.mark.parametrize("name", ["broadcast", "50 frames", "landscape"])
def test_mono_keeps_its_loudness_and_surround_gains_what_its_channels_add(version: Version, name: str) -> None:
    """lavfi's sine peaks at 1/8. In surround, front, centre and back add up to 1 + 0.7 + 0.7 times that, less 3 dB."""
    expected = 0.125 * (2.414 * 0.7079 if name == "landscape" else 1)

    assert version.sound.peak() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(
    ("container", "delay_s"), [("mp4", 0.0), ("mp4", 0.4), ("mp4", -0.4), ("mkv", 0.0), ("ts", 0.0), ("wmv", -0.4)]
)
def test_picture_and_sound_stay_as_far_apart_as_they_were(
    studio: Studio, ffmpeg: str, container: str, delay_s: float
) -> None:
    codec = {"wmv": ("wmv2",)}.get(container, ("libx264", "-preset", "ultrafast"))
    clip = Clip(
        rate="30000/1001", duration_s=5, picture="color=black", filters=flash(4.5), sound=beep(4.5),
        size="160x120", sound_delay_s=delay_s, container=container, codec=codec,
    )  # fmt: skip
    version = studio.version(f"flash and beep {delay_s}", clip, ffmpeg)
    flashed = next(picture.time_s for picture in version.pictures["120p"] if picture.brightness > reader.BRIGHT)

    one_frame_s = 1001 / 30000
    assert version.sound.first_loud_s() - float(flashed) == pytest.approx(delay_s, abs=one_frame_s)
    assert float(flashed) == pytest.approx(4.5 + max(0.0, -delay_s), abs=one_frame_s)


@pytest.mark.parametrize("name", ["sound ends early"])
def test_sound_that_ends_early_is_followed_by_silence(version: Version, name: str) -> None:
    sound = version.sound

    assert max(map(abs, sound.left[: sound.rate])) > reader.LOUD
    assert max(map(abs, sound.left[2 * sound.rate :])) < 0.01


# --- the picture -----------------------------------------------------------------------------------------------------


def test_an_interlaced_film_shows_no_comb(studio: Studio, ffmpeg: str) -> None:
    """A bar that moves 12 pixels between two fields has straight edges only when the fields are separated."""
    bar = "geq=lum='16+219*lt(abs(X-12*N-60),30)':cb=128:cr=128"
    clip = Clip(
        size="424x240", rate="50", duration_s=0.4, picture="color=black", sound="",
        filters=f"{bar},tinterlace=interleave_top,setfield=tff", codec=INTERLACED,
    )  # fmt: skip
    version = studio.version("moving bar", clip, ffmpeg)

    assert version.made.source.is_interlaced
    assert combing(studio.clips["moving bar"]) > 10
    assert combing(version.media("240p")) < 3


def combing(media: Path) -> float:
    """Returns how much more a line differs from the next line than from the one after that, in the worst frame."""
    worst = 0.0
    with reader.open_media(media) as container:
        for frame in container.decode(video=0):
            plane = frame.reformat(format="gray").planes[0]
            data, width = bytes(plane), plane.line_size
            rows = [data[width * y : width * y + frame.width] for y in range(frame.height)]
            middle = range(len(rows) // 3, len(rows) // 2)
            combs = [difference(rows[y], rows[y + 1]) - difference(rows[y], rows[y + 2]) for y in middle]
            worst = max(worst, fmean(combs))
    return worst


INTERLACED = ("libx264", "-preset", "ultrafast", "-flags", "+ildct+ilme")


def test_a_film_that_was_cut_without_encoding_it_again_starts_where_its_edit_list_says(
    studio: Studio, ffmpeg: str
) -> None:
    """A copy from 1.2 s on still contains the pictures since the last key frame, which must not be shown."""
    clip = Clip(duration_s=3, picture="color=black", filters=WHITE_FROM, codec=LONG_GOP)
    whole = studio.clip("white from 1.2 s", clip)
    cut = studio.folder / "cut.mp4"
    run_ffmpeg("-ss", "1.2", "-i", str(whole), "-c", "copy", str(cut))
    version = studio.version_of(cut, ffmpeg)
    pictures = version.pictures["120p"]

    assert pictures[0].brightness > reader.BRIGHT
    assert len(pictures) == version.made.plan.frames == pytest.approx(45, abs=1)


WHITE_FROM = "drawbox=color=white:t=fill:enable='gte(t,1.18)'"
LONG_GOP = ("libx264", "-preset", "ultrafast", "-g", "250")


def test_a_recording_that_begins_in_the_middle_of_a_gop_loses_only_undecodable_frames(
    studio: Studio, ffmpeg: str
) -> None:
    """The first pictures refer to others that were never recorded, as in recordings of television."""
    flags = ("-x264-params", "open-gop=1:keyint=25:min-keyint=25:bframes=3")
    codec = ("libx264", "-preset", "veryfast", *flags)
    whole = studio.clip("broadcast to cut", Clip(duration_s=4, container="ts", codec=codec, size="160x120"))
    cut = studio.folder / "tuned in.ts"
    data = whole.read_bytes()
    cut.write_bytes(data[len(data) * 3 // 8 // 188 * 188 :])
    version = studio.version_of(cut, ffmpeg)

    assert 45 <= version.made.package.frames <= 70
    assert version.made.package.frames == version.made.plan.frames
    assert abs(version.sound.duration_s - version.duration_s) < 0.1
    assert fmean(version.pictures["120p"][0].grey) > 20


def test_recordings_put_together_are_one_film(studio: Studio, ffmpeg: str) -> None:
    """In the second recording the clock starts again at the same time, and the picture has another size."""
    parts = [
        Clip(container="ts", rate="25", filters="drawbox=color=black:t=fill"),
        Clip(container="ts", rate="25", filters="drawbox=color=white:t=fill", size="640x360"),
    ]
    source = studio.folder / "parts.ts"
    source.write_bytes(b"".join(studio.clip(f"part {number}", part).read_bytes() for number, part in enumerate(parts)))

    version = studio.version_of(source, ffmpeg)

    shown = [picture.brightness > reader.BRIGHT for picture in version.pictures["120p"]]
    assert version.made.plan.frame_rate == 25
    assert len(shown) == pytest.approx(100, abs=2)
    assert shown == sorted(shown)
    assert shown.count(True) == pytest.approx(50, abs=2)


def test_a_film_with_cover_art_shows_the_film(studio: Studio, ffmpeg: str) -> None:
    film, cover = studio.clip("film", Clip(duration_s=1, size="160x120")), studio.folder / "cover.png"
    run_ffmpeg("-f", "lavfi", "-i", "color=red:size=640x640", "-frames:v", "1", str(cover))
    path = studio.folder / "with cover.mp4"
    run_ffmpeg(
        *(
            "-i",
            str(cover),
            "-i",
            str(film),
            "-map",
            "0",
            "-map",
            "1",
            "-c",
            "copy",
            "-disposition:v:0",
            "attached_pic",
        ),
        str(path),
    )
    version = studio.version_of(path, ffmpeg)

    assert version.made.plan.rungs[-1].height == 120
    assert version.made.package.frames == 25


# --- the poster ------------------------------------------------------------------------------------------------------


@every_case
def test_the_poster_has_the_size_and_shape_of_the_best_rung(version: Version, name: str) -> None:
    """No clip is larger than the largest poster, so no poster is scaled down."""
    for number in range(1, version.made.posters + 1):
        assert reader.read_size(version.out / layout.poster_file(number)) == CASES[name].sizes[-1]


@every_case
def test_every_poster_has_a_small_copy_of_its_shape(version: Version, name: str) -> None:
    width, height = CASES[name].sizes[-1]
    scale = min(1, 640 / max(width, height))
    for number in range(1, version.made.posters + 1):
        large = version.out / layout.poster_file(number)
        small = version.out / layout.small_poster_file(large.name)
        (shown,), (copied,) = reader.read_pictures(large), reader.read_pictures(small)

        assert reader.read_size(small) == (round(width * scale), round(height * scale))
        assert difference(shown.grey, copied.grey) < 5


def test_the_poster_of_a_film_that_fades_in_is_not_black(studio: Studio, ffmpeg: str) -> None:
    clip = Clip(rate="10", duration_s=5, filters="fade=in:st=1:d=2", sound="")
    version = studio.version("fades in", clip, ffmpeg)
    (poster,) = reader.read_pictures(version.out / layout.POSTER)
    pictures = version.pictures["120p"]

    assert pictures[0].brightness < 20
    assert poster.brightness > 0.9 * pictures[-1].brightness


# --- refusals and progress -------------------------------------------------------------------------------------------


def run(folder: Path, source: Path, ffmpeg: str, report: Any = lambda progress: None) -> None:
    work, out = folder / "work", folder / "out"
    process(Job(source, work, out, ffmpeg, PlanSettings(ladder=parse_ladder(SMALL_LADDER)), report))


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_sound_alone_is_refused(studio: Studio, ffmpeg: str, folder: Path, container: str) -> None:
    source = studio.clip(f"sound in {container}", Clip(picture="", container=container))

    with pytest.raises(NoVideoStream):
        run(folder, source, ffmpeg)
    assert list((folder / "out").iterdir()) == []


def test_progress_is_reported_and_never_goes_back(studio: Studio, ffmpeg: str, folder: Path) -> None:
    reports: list[Progress | None] = []
    run(folder, studio.clip("broadcast", CASES["broadcast"].clip), ffmpeg, reports.append)
    percents = [progress.percent for progress in reports if progress]

    assert None in reports, "reports also come without new progress"
    assert percents == sorted(percents)
    assert all(0 <= percent <= 100 for percent in percents)


class ClaimLost(Exception):
    """Raised by a caller to stop the job."""


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
