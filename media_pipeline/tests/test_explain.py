"""The whole explanation, as numbers for programs and as text."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from media_pipeline.planning.plan import PlanSettings, plan_encode
from media_pipeline.probe import probe
from media_pipeline.report.estimate import Speed
from media_pipeline.report.explain import Explanation, as_text, explain
from media_pipeline.report.plan_reasons import explain_warnings
from media_pipeline.sources.colour import Colour
from media_pipeline.tests.golden import golden
from media_pipeline.tests.sources import film, sound, subtitles
from tests.clips import Clip, make_clip

PHONE = film(
    width=1080, height=1920, rotation=90, source_rate=Fraction(120), frame_rate=Fraction(60), frames=1200,
    pixels="yuv420p10le", colour=Colour("bt2020", "arib-std-b67", "bt2020nc", depth_bits=10), codec="hevc",
    audio=(sound(1, language="de", channels=6, title="Anna’s film"), sound(2, language="en", codec="ac3")),
    subtitles=(subtitles(3, "de", is_forced=True), subtitles(4, "en", codec="hdmv_pgs_subtitle")),
)  # fmt: skip


def explained() -> Explanation:
    settings = PlanSettings()
    plan = plan_encode(PHONE, settings)
    command = ["ffmpeg", "-i", "file:it's here.mov", "work/1080p.mp4"]
    return explain(PHONE, plan, settings, size_bytes=123_456_789, speed=Speed(), command=command)


def test_the_text_is_exactly_this() -> None:
    assert as_text(explained(), with_command=True) == golden("explanation.txt")


def test_the_json_has_numbers_and_the_same_lines() -> None:
    facts = json.loads(json.dumps(explained().to_json()))

    assert (facts["found"]["width"], facts["found"]["height"], facts["found"]["frame_rate"]) == (1080, 1920, "120")
    assert facts["found"]["hdr"] == "HLG"
    assert facts["found"]["subtitles"][1] == {
        "language": "en", "title": "", "codec": "hdmv_pgs_subtitle", "is_text": False,
    }  # fmt: skip
    assert [rung["name"] for rung in facts["planned"]["rungs"]] == ["120p", "360p", "720p", "1080p"]
    assert facts["planned"]["rungs"][-1] == {"name": "1080p", "width": 1080, "height": 1920, "peak_kbps": 9000}
    assert (facts["planned"]["segments"], facts["planned"]["segment_s"]) == (3, 4.0)
    assert facts["planned"]["is_tone_mapped"] is True
    assert facts["planned"]["captions"] == [{"language": "de", "label": "Deutsch"}]
    assert set(facts["cost"]) == {"seconds", "bytes", "most_bytes", "basis"}
    assert facts["command"][0] == "ffmpeg"
    assert {"label": "Colours", "text": "10 bits, yuv420p10le, HLG"} in facts["found"]["lines"]


def test_a_file_without_anything_unusual_says_so() -> None:
    settings, source = PlanSettings(), film(audio=(), subtitles=())
    plain = explain(source, plan_encode(source, settings), settings, size_bytes=1, speed=Speed(), command=["ffmpeg"])

    assert "Why\n  - Nothing about it is out of the ordinary.\n" in as_text(plain, with_command=False)
    assert "Warnings\n  - The film has no sound.\n" in as_text(plain, with_command=False)


def test_the_path_of_a_file_is_quoted_for_the_shell() -> None:
    assert as_text(explained(), with_command=True).endswith(
        """mkdir -p work\nffmpeg -i 'file:it'"'"'s here.mov' work/1080p.mp4\n"""
    )
    assert str(Path.cwd()) not in as_text(explained(), with_command=True)


# --- of real files ---------------------------------------------------------------------------------------------------


def warnings_of(path: Path) -> tuple[str, ...]:
    settings, source = PlanSettings(), probe(path, time_limit_s=60)
    return explain_warnings(source, plan_encode(source, settings), settings)


def test_a_file_that_is_cut_off_says_what_is_missing(front_clip: Path, tmp_path: Path) -> None:
    content = front_clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])

    (missing,) = [one for one in warnings_of(tmp_path / "cut.mp4") if "may be missing" in one]

    assert missing.startswith("The file says that it lasts 4 s, but its picture ends after ")


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "avi", "ts", "webm"])
def test_a_complete_file_has_no_warning_of_missing_parts(container: str, tmp_path: Path) -> None:
    codec = ("libvpx", "-deadline", "realtime") if container == "webm" else ("libx264", "-preset", "ultrafast")
    clip = Clip(size="64x48", rate="30000/1001", duration_s=3, sound_delay_s=0.5, container=container, codec=codec)

    assert warnings_of(make_clip(tmp_path, clip)) == (
        "The picture is only 64×48: it will look coarse on a large screen.",
    )
