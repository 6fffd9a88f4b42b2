"""Functions of the watch site's scripts, called in the browser that runs them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.templatetags.static import static
from playwright.sync_api import Browser, Page

from tests.services import Platform

pytestmark = pytest.mark.browser

STORYBOARD = """WEBVTT

00:00:00.000 --> 00:00:02.500
/media/grant/storyboard.jpg#xywh=0,0,160,90

note to nobody
00:02.500 --> 01:00:05.000
http://elsewhere/storyboard.jpg#xywh=pixel:160,0,160,90

01:00:05.000 --> 01:00:09.000
a cue that is no picture
"""
TRACKS = [
    {"value": "0", "label": "English", "language": "en"},
    {"value": "1", "label": "Deutsch", "language": "de"},
    {"value": "2", "label": "Deutsch (Kommentar)", "language": "de"},
]


def ask(page: Page, module: str, expression: str, argument: Any = None) -> Any:
    """Returns the value of an expression over the module `m` and the argument `x`."""
    return page.evaluate(
        f"async x => {{ const m = await import('{static(f'js/{module}.js')}'); return {expression}; }}", argument
    )


@pytest.fixture(scope="module")
def page(chromium: Browser, platform: Platform) -> Iterator[Page]:
    """A page of the site, because modules load only there: its policy allows the site's own scripts only."""
    page = chromium.new_page()
    page.goto(f"{platform.origin}/login/")
    yield page
    page.close()


def test_a_storyboard_is_read_in_both_forms_of_time(page: Page) -> None:
    tile = {"y": 0, "width": 160, "height": 90}
    assert ask(page, "player/storyboard", "m.parseStoryboard(x)", STORYBOARD) == [
        {**tile, "start": 0, "end": 2.5, "sheet": "/media/grant/storyboard.jpg", "x": 0},
        {**tile, "start": 2.5, "end": 3605, "sheet": "http://elsewhere/storyboard.jpg", "x": 160},
    ]


@pytest.mark.parametrize("text", ["", "WEBVTT", "WEBVTT\r\n\r\n1\r\n00:00.000 --> 00:01.000\r\n", "<!doctype html>"])
def test_a_storyboard_of_nothing_has_no_tiles(page: Page, text: str) -> None:
    assert ask(page, "player/storyboard", "m.parseStoryboard(x)", text) == []


@pytest.mark.parametrize(("seconds", "x"), [(0, 0), (2.4, 0), (2.5, 160), (9999, 160)])
def test_every_second_has_its_tile(page: Page, seconds: float, x: int) -> None:
    tile = ask(page, "player/storyboard", "m.tileAt(m.parseStoryboard(x[0]), x[1])", [STORYBOARD, seconds])
    assert tile["x"] == x


@pytest.mark.parametrize(
    ("remembered", "value"),
    [
        ("de|Deutsch (Kommentar)", "2"),
        ("de|Something else", "1"),
        ("de|", "1"),
        ("fr|Français", None),
        ("", None),
        (None, None),
        ("|Deutsch", None),
    ],
)
def test_a_track_is_found_again_by_its_name_or_its_language(page: Page, remembered: str | None, value: str) -> None:
    assert ask(page, "player/tracks", "m.trackOf(x[0], x[1])?.value ?? null", [TRACKS, remembered]) == value


@pytest.mark.parametrize(
    ("bytes_", "text"), [(0, "0 bytes"), (1500, "1.5 KB"), (1024**2, "1 MB"), (250 * 1024**2, "250 MB")]
)
def test_sizes_are_written_in_units_of_1024(page: Page, bytes_: int, text: str) -> None:
    assert ask(page, "site/format", "m.size(x)", bytes_) == text


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/login/?next=/"])
def test_signing_in_leads_to_no_other_site_and_not_in_circles(page: Page, where: str) -> None:
    assert ask(page, "site/api", "m.safeNext(x) === `${origin}/`", where)


TAPS = """(() => {
    const done = [];
    const note = (name) => (...rest) => done.push([name, ...rest]);
    const actions = { hasControls: () => x.shown, showControls: note("show"), togglePlay: note("toggle") };
    const taps = new m.Taps({ ...actions, toggleFullscreen: note("fullscreen"), skip: note("skip") });
    for (const [fraction, at] of x.taps) taps.tap(fraction, at);
    return new Promise((resolve) => setTimeout(() => resolve(done), 400));
})()"""


@pytest.mark.parametrize(
    ("is_shown", "taps", "done"),
    [
        (False, [(0.5, 0)], [["show"]]),
        (True, [(0.5, 0)], [["toggle"]]),
        (True, [(0.1, 0), (0.1, 200)], [["skip", -10, "back", 10]]),
        (True, [(0.9, 0), (0.9, 200), (0.9, 400)], [["skip", 10, "forward", 10], ["skip", 10, "forward", 20]]),
        (True, [(0.5, 0), (0.5, 200)], [["fullscreen"]]),
        (True, [(0.1, 0), (0.9, 200)], [["toggle"]]),  # in different places: the second tap starts anew
        (False, [(0.5, 0), (0.5, 1000)], [["show"], ["show"]]),
    ],
)
def test_taps_are_told_apart_by_place_and_time(
    page: Page, is_shown: bool, taps: list[tuple[float, int]], done: list[Any]
) -> None:
    assert ask(page, "player/taps", TAPS, {"shown": is_shown, "taps": taps}) == done


@pytest.mark.parametrize(
    ("wanted", "quality"),
    [("720p", "720p"), ("480p", "360p"), ("4320p", "1080p"), ("60p", None), ("", None), (None, None)],
)
def test_the_chosen_quality_or_the_best_below_it_is_chosen_again(page: Page, wanted: str | None, quality: str) -> None:
    names = ["1080p", "720p", "360p", "120p"]
    assert ask(page, "player/player", "m.qualityOf(x[0], x[1])", [names, wanted]) == quality


def shelf_film(number: int, **fields: Any) -> dict[str, Any]:
    """Returns a film of the catalogue; a higher number makes it newer."""
    facts = {"id": number, "title": f"Film {number}", "created_at": f"2026-01-{number:02}T00:00:00Z", "category": None}
    listed = {"is_playable": True, "visibility": "PUBLIC", "description": "", "is_featured": False}
    return {**facts, **listed, **fields}


@pytest.mark.parametrize(
    ("films", "chosen"),
    [
        ([], None),
        ([shelf_film(1), shelf_film(2)], 2),
        ([shelf_film(1, description="About it."), shelf_film(2, description="  ")], 1),
        ([shelf_film(1, is_featured=True), shelf_film(2, description="About it.")], 1),
        ([shelf_film(1), shelf_film(2, visibility="PRIVATE", is_featured=True)], 1),
        ([shelf_film(1), shelf_film(2, visibility="UNLISTED", description="About it.")], 1),
        ([shelf_film(1), shelf_film(2, is_playable=False, is_featured=True)], 1),
        ([shelf_film(2, visibility="PRIVATE")], None),
    ],
)
def test_the_film_above_the_rows_is_the_choice_of_staff_else_the_newest_described(
    page: Page, films: list[dict[str, Any]], chosen: int | None
) -> None:
    assert ask(page, "catalogue/shelves", "m.billboardOf(x)?.id ?? null", films) == chosen


def test_private_and_unlisted_films_have_a_row_of_their_own(page: Page) -> None:
    hidden = [shelf_film(2, visibility="PRIVATE"), shelf_film(3, visibility="UNLISTED", category="Drama")]
    films = [shelf_film(1), *hidden, shelf_film(4, category="Drama")]
    rows = ask(
        page,
        "catalogue/shelves",
        "m.rowsOf(x, [{name: 'Drama', slug: 'drama'}], {has: () => false}, () => null)"
        ".map((row) => [row.key, row.videos.map(({id}) => id)])",
        films,
    )
    assert rows == [["category-drama", [4]], ["more", [1]], ["not-listed", [2, 3]]]
