"""The soundtracks and captions of a version."""

import pytest

from media_pipeline.planning.tracks import MAX_SOUNDTRACKS, distinct_names, plan_audio, plan_captions
from media_pipeline.tests.sources import film, sound, subtitles


def test_the_default_soundtrack_comes_first_and_has_no_key() -> None:
    planned = plan_audio(film(audio=(sound(1, language="en"), sound(2, language="de", is_default=True))))

    assert [(one.key, one.name, one.track.index) for one in planned] == [("", "Deutsch", 2), ("en", "English", 1)]
    assert [one.is_main for one in planned] == [True, False]


def test_two_soundtracks_of_a_language_have_different_names() -> None:
    tracks = (sound(1, language="en"), sound(2, language="en"), sound(3, language="en", title="Commentary"), sound(4))
    planned = plan_audio(film(audio=tracks))

    assert [one.name for one in planned] == ["English", "English 2", "English (Commentary)", "Track 4"]
    assert [one.key for one in planned] == ["", "en", "en_2", "und"]


@pytest.mark.parametrize(
    ("language", "title", "name"),
    [
        ("und", "", "Original"), ("und", "Stereo mix", "Stereo mix"), ("de", "", "Deutsch"),
        ("en", "English 5.1", "English 5.1"), ("gsw", "", "gsw"),
    ],
)  # fmt: skip
def test_a_soundtrack_is_called_by_title_and_language(language: str, title: str, name: str) -> None:
    (planned,) = plan_audio(film(audio=(sound(1, language=language, title=title),)))

    assert planned.name == name


def test_a_film_with_very_many_soundtracks_keeps_the_first_ones() -> None:
    planned = plan_audio(film(audio=tuple(sound(n) for n in range(1, 100))))

    assert [one.track.index for one in planned] == list(range(1, MAX_SOUNDTRACKS + 1))
    assert len({one.name for one in planned}) == len({one.key for one in planned}) == MAX_SOUNDTRACKS


def test_a_silent_film_has_no_soundtracks() -> None:
    assert plan_audio(film(audio=())) == ()


def test_a_name_that_had_to_be_made_up_is_unique_too() -> None:
    assert distinct_names(["a", "a 2", "a"], " ") == ["a", "a 2", "a 3"]


def test_full_captions_are_preferred_to_forced_ones_of_a_language() -> None:
    tracks = [subtitles(3, "en", is_forced=True), subtitles(4, "en"), subtitles(5, "de", is_forced=True)]

    assert [(one.index, one.language, one.label) for one in plan_captions(tracks)] == [
        (4, "en", "English"),
        (5, "de", "Deutsch"),
    ]


def test_the_default_captions_of_a_language_are_taken_before_others() -> None:
    (planned,) = plan_captions([subtitles(3, "en", title="For the hard of hearing"), subtitles(4, is_default=True)])

    assert planned.index == 4


def test_captions_that_are_pictures_are_left_out() -> None:
    assert plan_captions([subtitles(3, codec="hdmv_pgs_subtitle"), subtitles(4, codec="dvd_subtitle")]) == ()


def test_captions_of_an_unknown_language_are_called_by_their_title() -> None:
    assert [one.label for one in plan_captions([subtitles(3, "und", title="Songs")])] == ["Songs"]
    assert [one.label for one in plan_captions([subtitles(3, "und")])] == ["Captions"]
