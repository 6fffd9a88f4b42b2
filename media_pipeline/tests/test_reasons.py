"""The reasons for a plan, and the warnings for an uploader."""

from fractions import Fraction
from typing import Any

import pytest

from media_pipeline.limits import Limits
from media_pipeline.planning.plan import PlanSettings, plan_encode
from media_pipeline.report.plan_reasons import explain_decisions, explain_warnings
from media_pipeline.sources.colour import Colour
from media_pipeline.tests.sources import film, sound, subtitles

SETTINGS = PlanSettings(limits=Limits(max_duration_s=3600))
PQ = Colour("bt2020", "smpte2084", "bt2020nc", depth_bits=10)


def decisions(**changes: Any) -> tuple[str, ...]:
    source = film(**changes)
    return explain_decisions(source, plan_encode(source, SETTINGS), SETTINGS)


def warnings(**changes: Any) -> tuple[str, ...]:
    source = film(**changes)
    return explain_warnings(source, plan_encode(source, SETTINGS), SETTINGS)


def rates(rate: int | Fraction, *, kept: int | Fraction | None = None) -> dict[str, Fraction]:
    return {"source_rate": Fraction(rate), "frame_rate": Fraction(rate if kept is None else kept)}


def test_an_ordinary_film_has_no_decisions_and_no_warnings() -> None:
    assert decisions() == warnings() == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"width": 1280, "height": 720},
            "The picture is 1280×720, so there is no 1080p: nothing is ever enlarged.",
        ),
        (
            {"width": 360, "height": 640},
            "The picture is 360×640, so there is no 720p or 1080p: nothing is ever enlarged.",
        ),
        (
            {"width": 854, "height": 480},
            "It lies between two qualities of this site and gets one of its own, 480p.",
        ),
        (
            {"width": 64, "height": 48},
            "At 64×48 the picture is smaller than every quality: it keeps its size and is called 120p.",
        ),
        (
            {"width": 3840, "height": 2160},
            "The picture is 3840×2160; it is scaled down, because 1080p is the best quality of this site.",
        ),
        ({"width": 1278, "height": 718}, "The picture is only 2 lines short of 720p and counts as 720p."),
        (
            rates(120, kept=60),
            "Of 120 frames a second, 60 are kept: few screens show more, and each costs time and space.",
        ),
        (
            {"is_variable_rate": True, **rates(30)},
            "The time between frames varies, as in videos from phones; the film gets a steady 30 a second.",
        ),
        (
            {"rotation": 90},
            "The file asks players to turn its picture; it is stored upright, so that every player shows it right.",
        ),
        (
            {"pixel_shape": Fraction(16, 11)},
            "Its pixels are not square (16:11), so the picture is stretched to 1920×1080, as a player would show it.",
        ),
        ({"colour": PQ}, "The film is HDR10 (PQ); it is tone-mapped to BT.709, which every screen can show."),
        (
            {"colour": Colour(primaries="smpte432")},
            "Its colours (smpte432) are wider than most screens show, so they are brought to BT.709.",
        ),
        (
            {"pixels": "yuv422p10le", "colour": Colour(depth_bits=10)},
            "Its pixels are yuv422p10le; they are converted to yuv420p in 8 bits, which every browser plays.",
        ),
        (
            {"is_interlaced": True},
            "The picture is interlaced, as television was; it is converted to full frames, which screens need.",
        ),
        (
            {"audio": (sound(1, channels=6),)},
            "6 channels of sound are mixed down to stereo, which every player has.",
        ),
        (
            {"audio": (sound(1, language="en"), sound(2, language="de", is_default=True))},
            "Viewers can choose from 2 soundtracks; until they do, Deutsch plays.",
        ),
        (
            {"audio": tuple(sound(n, language="en") for n in range(15))},
            "3 more soundtracks are left out: a film can have at most 12.",
        ),
        (
            {"subtitles": (subtitles(2, "en", codec="dvd_subtitle"),)},
            "The subtitles “English” (track 2) are left out: they are pictures (dvd_subtitle), not text.",
        ),
        (
            {"subtitles": (subtitles(2, "en"), subtitles(3, "en", title="For the deaf"))},
            "The subtitles “For the deaf” (track 3) are left out: the menu shows each language once.",
        ),
        (
            {"subtitles": (subtitles(2, "und"), subtitles(3, "und"))},
            "The subtitles of track 3 are left out: the menu shows each language once.",
        ),
        (
            {"duration_s": Fraction(3000)},
            "The seek bar shows a picture for every 19 s, because it has at most 160 pictures.",
        ),
    ],
)
def test_each_decision_that_is_not_obvious_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in decisions(**changes)


def test_a_film_with_too_many_languages_says_which_captions_are_left_out() -> None:
    tracks = tuple(subtitles(n, f"{chr(97 + n // 26)}{chr(97 + n % 26)}x") for n in range(40))
    left_out = [one for one in decisions(subtitles=tracks) if "captions in at most 32 languages" in one]

    assert len(left_out) == 8


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 320, "height": 180}, "The picture is only 320×180: it will look coarse on a large screen."),
        (rates(10), "The film has only 10 frames a second: movement will stutter."),
        (
            rates(Fraction(37)),
            "37 frames a second is an unusual rate; if it is not intended, check how the film was exported.",
        ),
        ({"duration_s": Fraction(1, 25), "declared_s": None}, "The film has only one picture."),
        (
            {"declared_s": Fraction(60)},
            "The file says that it lasts 1 min, but its picture ends after 10 s: the rest may be missing or damaged.",
        ),
        ({"audio": ()}, "The film has no sound."),
        ({"audio": (sound(1, channels=1),)}, "The sound is mono: both sides will play the same."),
        (
            {"audio": (sound(1, language="en"), sound(2), sound(3))},
            "The file does not say in which language the soundtracks Track 2 and Track 3 are.",
        ),
        (
            {"duration_s": Fraction(3300)},
            "The film lasts 55 min, which is close to the 1 h that this site accepts.",
        ),
    ],
)
def test_each_warning_for_the_uploader_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert warnings(**changes) == (sentence,)


@pytest.mark.parametrize(
    "changes",
    [
        {"declared_s": None},
        {"declared_s": Fraction(21, 2)},  # half a second longer than the picture
        {"declared_s": Fraction(0)},
        {"start_s": None},
        {"width": 640, "height": 360},
        {"is_variable_rate": True, **rates(Fraction(37))},
        {"duration_s": Fraction(3000), "declared_s": Fraction(3050)},
        {"audio": (sound(1),)},
    ],
)
def test_usual_properties_cause_no_warning(changes: dict[str, Any]) -> None:
    assert warnings(**changes) == ()


def test_a_track_title_is_quoted_in_the_sentence_as_it_is() -> None:
    (sentence,) = decisions(subtitles=(subtitles(2, "en", codec="dvd_subtitle", title="<b>x</b>"),))

    assert "“<b>x</b>”" in sentence, "escaping is the task of the page that shows it"
