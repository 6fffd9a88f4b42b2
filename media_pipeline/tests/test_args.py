"""ffmpeg's arguments, compared whole."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from media_pipeline.ffmpeg.args import audio_filter, encode_args, peak_kbps, poster_args
from media_pipeline.formats import CONTAINERS, PROTOCOLS
from media_pipeline.ladder import KNOWN_RUNGS, SizedRung
from media_pipeline.plan import EncodePlan, PlanSettings, plan_encode
from media_pipeline.source import AudioTrack, Source
from media_pipeline.tests.golden import golden_list

FILM = Source(
    container="mov",
    codec="h264",
    video_index=0,
    width=1920,
    height=1080,
    rotation=0,
    frame_rate=Fraction(24000, 1001),
    is_variable_rate=False,
    duration_s=Fraction(6006, 1000) * 20,
    frames=2880,
    audio=(AudioTrack(index=1, codec="ac3", channels=6, language="eng", is_default=True),),
)
SILENT_SPECK = replace(FILM, width=32, height=18, frame_rate=Fraction(25), duration_s=Fraction(2), audio=())
FAST_PORTRAIT = replace(
    FILM,
    video_index=1,
    width=720,
    height=1280,
    frame_rate=Fraction(60),
    duration_s=Fraction(9),
    audio=(AudioTrack(index=0, codec="aac", channels=1, language="und", is_default=True),),
)


def plan(source: Source) -> EncodePlan:
    return plan_encode(source, PlanSettings())


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (FILM, "encode_surround_four_rungs.txt"),
        (SILENT_SPECK, "encode_silent_lowest_rung.txt"),
        (FAST_PORTRAIT, "encode_60_frames_mono_portrait.txt"),
    ],
)
def test_the_encode_command_is_exactly_this(source: Source, name: str) -> None:
    assert encode_args("ffmpeg", plan(source), Path("/scratch/source"), Path("/scratch/work")) == golden_list(name)


def test_the_poster_command_is_exactly_this() -> None:
    args = poster_args("ffmpeg", Path("/scratch/out/720p.mp4"), Fraction(1001, 24000) * 50, Path("/scratch/poster.jpg"))

    assert args == golden_list("poster.txt")


def test_the_source_is_opened_only_by_listed_protocols_and_containers() -> None:
    args = encode_args("ffmpeg", plan(FILM), Path("/scratch/source"), Path("/scratch/work"))
    before_input = args[: args.index("-i")]

    assert before_input[before_input.index("-protocol_whitelist") + 1] == PROTOCOLS == "file,pipe"
    assert before_input[before_input.index("-format_whitelist") + 1] == CONTAINERS


@pytest.mark.parametrize(
    "playlist", ["hls", "applehttp", "concat", "dash", "concatf", "image2", "lavfi", "sdp", "rtsp"]
)
def test_no_playlist_may_be_opened(playlist: str) -> None:
    assert playlist not in CONTAINERS.split(",")


def test_a_source_whose_name_looks_like_an_option_or_an_address_stays_a_file() -> None:
    args = encode_args("ffmpeg", plan(FILM), Path("http:/evil"), Path("/scratch/work"))

    assert args[args.index("-i") + 1] == "file:http:/evil"


@pytest.mark.parametrize(("rate", "kbps"), [("24000/1001", 3200), ("30", 3200), ("50", 4800), ("60000/1001", 4800)])
def test_fast_video_may_peak_half_as_high_again(rate: str, kbps: int) -> None:
    rung = next(rung for rung in KNOWN_RUNGS if rung.name == "720p")

    assert peak_kbps(SizedRung(rung, 1280, 720), Fraction(rate)) == kbps


@pytest.mark.parametrize(
    ("channels", "starts_with", "has_gain"),
    [(1, "pan=stereo|c0=c0|c1=c0,", False), (2, "aresample", False), (3, "aresample", True), (8, "aresample", True)],
)
def test_only_surround_is_turned_down(channels: int, starts_with: str, has_gain: bool) -> None:
    sound = replace(FILM.audio[0], channels=channels)
    text = audio_filter(plan(replace(FILM, audio=(sound,))))

    assert text.startswith(starts_with)
    assert ("rematrix_volume" in text) is has_gain
