"""Static files from the web server of `make up`: their headers and their compressed sizes."""

import gzip

import pytest
from django.conf import settings as site
from django.templatetags.static import static

from tests.client import Answer, Client
from tests.services import Platform

HLS = "vendor/hls.js/1.7.4/hls.min.js"


def fetch(platform: Platform, path: str, **headers: str) -> Answer:
    return Client(platform.origin).get(path, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("file", [HLS, "js/player/player.js", "css/site.css", "icons.svg", "unfold/css/styles.css"])
def test_static_files_are_compressed_and_kept_for_ever(platform: Platform, file: str) -> None:
    packed = fetch(platform, static(file), accept_encoding="gzip")
    plain = fetch(platform, static(file))
    assert (packed.status, plain.status) == (200, 200)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < 0.6 * len(plain.body)
    for answer in (packed, plain):
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["cache-control"] == "max-age=315360000, public, immutable"


def test_the_player_is_sent_in_less_than_200_kb(platform: Platform) -> None:
    assert len(fetch(platform, static(HLS), accept_encoding="gzip").body) < 200_000


def test_pages_name_the_files_by_addresses_of_this_version(platform: Platform) -> None:
    page = fetch(platform, "/").body.decode()
    assert f'src="{static("js/catalogue.js")}"' in page
    assert page.count("/static/") == page.count(site.STATIC_URL)


def test_a_file_that_the_client_has_is_not_sent_again(platform: Platform) -> None:
    etag = fetch(platform, static(HLS), accept_encoding="gzip").headers["etag"]
    again = fetch(platform, static(HLS), accept_encoding="gzip", if_none_match=etag)
    assert (again.status, again.body) == (304, b"")


def test_a_compressed_format_is_not_compressed_again(platform: Platform) -> None:
    font = fetch(platform, static("unfold/fonts/inter/Inter-Regular.woff2"), accept_encoding="gzip")
    assert (font.status, "content-encoding" in font.headers) == (200, False)
