"""Static files: addresses that change with the content, compressed copies, and what happens without room for them."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.templatetags.static import static
from django.test import Client

from config.http.static_files import packed_copy
from config.http.static_version import static_version

STYLES = site.BASE_DIR / "static" / "css" / "site.css"


@pytest.fixture(autouse=True)
def _own_cache(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_CACHE = tmp_path / "static"
    settings.STATIC_CACHE.mkdir()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "static" / "js").mkdir(parents=True)
    (folder / "static" / "js" / "page.js").write_text("play()")
    (folder / "requirements.txt").write_text("django==5.2\n")
    return folder


def get(path: str, **headers: str) -> Any:
    return Client().get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("change", ["content", "name", "addition", "packages"])
def test_the_version_changes_with_the_files_and_the_packages(change: str, project: Path) -> None:
    before = static_version(project)
    script = project / "static" / "js" / "page.js"
    changes: dict[str, Callable[[], object]] = {
        "content": lambda: script.write_text("pause()"),
        "name": lambda: script.rename(script.with_name("film.js")),
        "addition": lambda: script.with_name("film.js").write_text(""),
        "packages": lambda: (project / "requirements.txt").write_text("django==5.3\n"),
    }
    changes[change]()
    assert static_version(project) != before


def test_the_version_depends_on_the_content_alone(project: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(project, tmp_path / "copy")
    assert static_version(copy) == static_version(project)
    assert len(static_version(copy)) == 12


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8"])
def test_a_client_that_accepts_gzip_gets_it(accepted: str) -> None:
    response = get(static("css/site.css"), accept_encoding=accepted)
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(content(response)) == STYLES.read_bytes()


@pytest.mark.parametrize("accepted", ["", "identity", "br"])
def test_a_client_without_gzip_gets_the_plain_file(accepted: str) -> None:
    response = get(static("css/site.css"), accept_encoding=accepted)
    assert "Content-Encoding" not in response
    assert content(response) == STYLES.read_bytes()


def test_an_address_of_another_version_is_not_found() -> None:
    """Otherwise browsers would cache the answer for ever under the address of another version."""
    assert get("/static/0123456789ab/css/site.css").status_code == 404
    assert get("/static/css/site.css").status_code == 404


def test_a_copy_is_made_once_for_all_processes(settings: Any) -> None:
    content(get(static("css/site.css"), accept_encoding="gzip"))
    (folder,) = settings.STATIC_CACHE.iterdir()
    made = {path.name: path.stat().st_mtime_ns for path in [folder, *folder.iterdir()]}
    assert made.keys() == {folder.name, "site.css", "site.css.gz"}
    content(get(static("css/site.css"), accept_encoding="gzip"))  # this client is another process
    assert {path.name: path.stat().st_mtime_ns for path in [folder, *settings.STATIC_CACHE.glob("*/*")]} == made


def test_files_of_the_same_content_have_copies_of_their_own(tmp_path: Path) -> None:
    names = ("LICENSE", "LICENSE.txt")
    for name in names:
        (tmp_path / name).write_text("As is. " * 100)
    copies = [packed_copy(tmp_path / name) for name in names]
    assert [copy.read_text() for copy in copies] == ["As is. " * 100] * 2


def test_the_slower_of_two_processes_uses_the_copy_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(work: Path, folder: Path) -> None:
        shutil.copytree(work, folder)
        raise FileExistsError

    monkeypatch.setattr(Path, "rename", rename)
    copy = packed_copy(STYLES)
    assert copy.read_bytes() == STYLES.read_bytes()
    assert list(site.STATIC_CACHE.iterdir()) == [copy.parent]


def test_without_room_for_copies_the_page_works_and_the_log_says_why(settings: Any, caplog: Any) -> None:
    settings.STATIC_CACHE.rmdir()
    response = get(static("css/site.css"), accept_encoding="gzip")
    assert content(response) == STYLES.read_bytes()
    assert "css/site.css is served uncompressed: " in caplog.text
