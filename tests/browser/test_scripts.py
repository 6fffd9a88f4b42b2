"""What the page's scripts work out, asked for in the browser that runs them."""

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
    """The value of an expression over the module `m` and the argument `x`."""
    return page.evaluate(
        f"async x => {{ const m = await import('{static(f'js/{module}.js')}'); return {expression}; }}", argument
    )


@pytest.fixture(scope="module")
def page(chromium: Browser, platform: Platform) -> Iterator[Page]:
    """Any page of the site: its policy lets only the site's own modules in."""
    page = chromium.new_page()
    page.goto(f"{platform.origin}/login/")
    yield page
    page.close()


def test_a_storyboard_is_read_in_both_forms_of_time(page: Page) -> None:
    tile = {"y": 0, "width": 160, "height": 90}
    assert ask(page, "storyboard", "m.parseStoryboard(x)", STORYBOARD) == [
        {**tile, "start": 0, "end": 2.5, "sheet": "/media/grant/storyboard.jpg", "x": 0},
        {**tile, "start": 2.5, "end": 3605, "sheet": "http://elsewhere/storyboard.jpg", "x": 160},
    ]


@pytest.mark.parametrize("text", ["", "WEBVTT", "WEBVTT\r\n\r\n1\r\n00:00.000 --> 00:01.000\r\n", "<!doctype html>"])
def test_a_storyboard_of_nothing_has_no_tiles(page: Page, text: str) -> None:
    assert ask(page, "storyboard", "m.parseStoryboard(x)", text) == []


@pytest.mark.parametrize(("seconds", "x"), [(0, 0), (2.4, 0), (2.5, 160), (9999, 160)])
def test_every_second_has_its_tile(page: Page, seconds: float, x: int) -> None:
    tile = ask(page, "storyboard", "m.tileAt(m.parseStoryboard(x[0]), x[1])", [STORYBOARD, seconds])
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
    assert ask(page, "tracks", "m.trackOf(x[0], x[1])?.value ?? null", [TRACKS, remembered]) == value


@pytest.mark.parametrize(
    ("bytes_", "text"), [(0, "0 bytes"), (1500, "1.5 KB"), (1024**2, "1 MB"), (250 * 1024**2, "250 MB")]
)
def test_sizes_are_told_in_units_of_1024(page: Page, bytes_: int, text: str) -> None:
    assert ask(page, "format", "m.size(x)", bytes_) == text


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/login/?next=/"])
def test_signing_in_leads_to_no_other_site_and_not_in_circles(page: Page, where: str) -> None:
    assert ask(page, "api", "m.safeNext(x) === `${origin}/`", where)
