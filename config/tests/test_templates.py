"""How templates are written: lines that fit on a screen, and every icon from one include."""

import re

from config.env import BASE_DIR

MAX_LINE = 140
NAMED = re.compile(r'include "icon\.html" with name="([^"]+)"')
DRAWN = re.compile(r'<symbol id="([^"]+)"')
ICON = BASE_DIR / "templates" / "icon.html"
# All templates, also those that an app may have in its own folder one day.
TEMPLATES = sorted(
    path
    for folder in [BASE_DIR / "templates", *BASE_DIR.glob("*/templates")]
    for path in folder.rglob("*.*")
    if path.suffix in (".html", ".txt")
)


def test_the_search_finds_the_templates() -> None:
    assert {"base.html", "icon.html", "player.html", "change_form.html", "base.txt"} <= {one.name for one in TEMPLATES}


def test_no_line_of_a_template_is_too_long() -> None:
    long = [
        f"{path.relative_to(BASE_DIR)}:{number} has {len(line)} characters"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > MAX_LINE
    ]
    assert long == []


def test_no_template_pastes_an_icon() -> None:
    """Each includes icon.html, so that an icon is changed in one place."""
    pasted = [path.name for path in TEMPLATES if path != ICON and "<svg" in path.read_text(encoding="utf-8").lower()]
    assert pasted == []


def test_every_icon_that_a_template_names_is_drawn() -> None:
    named = {name for path in TEMPLATES for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    drawn = DRAWN.findall((BASE_DIR / "static" / "icons.svg").read_text(encoding="utf-8"))
    assert named
    assert named - set(drawn) == set()
