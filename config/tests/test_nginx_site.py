"""The timeouts of Nginx for routes whose answers take long."""

import re

import pytest
from django.urls import reverse

from config.env_file import BASE_DIR

LOCATION = re.compile(r"^location ~ (\S+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
WAITS = re.compile(r"^\s*proxy_read_timeout (\d+)s;", re.MULTILINE)


def read_timeout_s(path: str) -> int:
    """Returns the read timeout of the first location that matches, else of the site."""
    site = (BASE_DIR / "nginx" / "snippets" / "site.conf").read_text()
    bodies = [body for pattern, body in LOCATION.findall(site) if re.search(pattern, path)]
    wait = WAITS.search(bodies[0]) if bodies else None
    wait = wait or WAITS.search(site)
    assert wait
    return int(wait[1])


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("ref", ["12", "5f6c3f1e-0000-4000-8000-000000000001"])
def test_a_report_of_ten_thousand_segments_may_take_ten_minutes(ref: str, end: str) -> None:
    path = reverse("transcoding-status", args=[ref]).removesuffix("/") + end
    assert read_timeout_s(path) == 600


@pytest.mark.parametrize("path", ["/", "/users/login", "/api/v1/upload/videos/12", "/api/v1/upload/videos/a/b/status"])
def test_other_routes_have_the_usual_timeout(path: str) -> None:
    assert read_timeout_s(path) == 75
