"""ffmpeg's arguments, compared as whole lists."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from media_pipeline.planning.ffmpeg_args import audio_filter, captions_args, encode_args, peak_kbps, storyboard_args
from media_pipeline.planning.ladder import KNOWN_RUNGS, SizedRung
from media_pipeline.planning.plan import EncodePlan, PlanSettings, plan_encode
from media_pipeline.sources.colour import Colour
from media_pipeline.sources.formats import CONTAINERS, PROTOCOLS
from media_pipeline.sources.source import Source
from media_pipeline.tests.golden import golden_list
from media_pipeline.tests.sources import film, sound, subtitles

FILM = film(
    frame_rate=Fraction(24000, 1001),
    duration_s=Fraction(6006, 1000) * 20,
    audio=(sound(1, codec="ac3", channels=6, language="en", is_default=True),),
)
SILENT_SPECK = replace(FILM, width=32, height=18, frame_rate=Fraction(25), duration_s=Fraction(2), audio=())
FAST_PORTRAIT = replace(
    FILM,
    video_index=1,
    width=720,
    height=1280,
    frame_rate=Fraction(60),
    duration_s=Fraction(9),
    audio=(sound(0, channels=1),),
)
TWO_LANGUAGES = film(
    width=320,
    height=180,
    audio=(sound(1, language="en", is_default=True), sound(2, language="de", codec="ac3", channels=6)),
    subtitles=(subtitles(3, "en"), subtitles(4, "de", codec="ass"), subtitles(5, "fr", codec="hdmv_pgs_subtitle")),
)
HDR = film(
    width=3840,
    height=2160,
    pixels="yuv420p10le",
    colour=Colour("bt2020", "smpte2084", "bt2020nc", depth_bits=10),
)
OLD_TELEVISION = film(
    width=768,
    height=576,
    stored_size=(720, 576),
    is_interlaced=True,
    colour=Colour("bt470bg", "bt709", "bt470bg"),
)


def plan(source: Source) -> EncodePlan:
    return plan_encode(source, PlanSettings())


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (FILM, "encode_surround_four_rungs.txt"),
        (SILENT_SPECK, "encode_silent_lowest_rung.txt"),
        (FAST_PORTRAIT, "encode_60_frames_mono_portrait.txt"),
        (TWO_LANGUAGES, "encode_languages_and_captions.txt"),
        (HDR, "encode_hdr.txt"),
        (OLD_TELEVISION, "encode_interlaced_bt601.txt"),
    ],
)
def test_the_encode_command_is_exactly_this(source: Source, name: str) -> None:
    assert encode_args("ffmpeg", plan(source), Path("/scratch/source"), Path("/scratch/work")) == golden_list(name)


def test_the_captions_command_is_exactly_this() -> None:
    args = captions_args("ffmpeg", plan(TWO_LANGUAGES), Path("/scratch/source"), Path("/scratch/work"))

    assert args == golden_list("captions.txt")


def test_the_storyboard_command_is_exactly_this() -> None:
    args = storyboard_args("ffmpeg", plan(FILM).storyboard, Path("/scratch/work"), Path("/scratch/out/storyboard.jpg"))

    assert args == golden_list("storyboard.txt")


@pytest.mark.parametrize("source", [FILM, TWO_LANGUAGES])
def test_every_output_of_the_encoder_begins_with_the_first_frame(source: Source) -> None:
    """ffmpeg reports no progress before all outputs have begun, and an encoder without progress counts as hung."""
    text = " ".join(encode_args("ffmpeg", plan(source), Path("/scratch/source"), Path("/scratch/work")))

    assert "tile=" not in text
    assert "webvtt" not in text


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
    [
        (1, "pan=stereo|c0=c0|c1=c0,", False),
        (2, "atrim=", False),
        (3, "atrim=", True),
        (8, "atrim=", True),
        (9, "pan=stereo|c0=c0|c1=c1,", False),
        (64, "pan=stereo|c0=c0|c1=c1,", False),
    ],
)
def test_only_surround_is_folded_down_and_turned_down(channels: int, starts_with: str, has_gain: bool) -> None:
    text = audio_filter(plan(FILM), sound(1, channels=channels))

    assert text.startswith(starts_with)
    assert ("rematrix_volume" in text) is has_gain
