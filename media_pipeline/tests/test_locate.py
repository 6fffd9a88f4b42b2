"""The choice of the ffmpeg to use."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from media_pipeline.errors import OutOfTime
from media_pipeline.ffmpeg import locate
from media_pipeline.ffmpeg.locate import NoFfmpeg, bundled_ffmpeg, find_fault, find_ffmpeg, missing_names, parse_version

GOOD_VERSION = "ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers"
ENCODERS = " V....D libx264    H.264\n A....D aac    AAC (Advanced Audio Coding)\n"
FILTERS = "".join(f" ... {name}   V->V   .\n" for name in locate.NEEDED_FILTERS)

FakeFfmpeg = Callable[..., str]


@pytest.fixture(autouse=True)
def _fresh_search() -> Iterator[None]:
    find_ffmpeg.cache_clear()
    yield
    find_ffmpeg.cache_clear()


@pytest.fixture
def fake_ffmpeg(tmp_path: Path) -> FakeFfmpeg:
    """Makes a script that answers like an ffmpeg with these abilities."""

    def make(*, version: str = GOOD_VERSION, encoders: str = ENCODERS, filters: str = FILTERS, body: str = "") -> str:
        path = tmp_path / "bin" / "ffmpeg"
        path.parent.mkdir(exist_ok=True)
        answers = {"-version": version, "-encoders": encoders, "-filters": filters}
        cases = "".join(f"{option}) echo {shlex.quote(text)};;\n" for option, text in answers.items())
        path.write_text(f'#!/bin/sh\n{body}\ncase "$2" in\n{cases}esac\n')
        path.chmod(0o755)
        return str(path)

    return make


@pytest.mark.parametrize(
    ("first_line", "version"),
    [
        (GOOD_VERSION, (5, 1)),
        ("ffmpeg version n9.0.2-17-g2a571b6068-20260930 Copyright (c)", (9, 0)),
        ("ffmpeg version 7.0.2-static https://johnvansickle.com/ffmpeg/", (7, 0)),
        ("ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright", (4, 4)),
        ("ffmpeg version 10.12 Copyright", (10, 12)),
        ("ffmpeg version N-109542-g3a1b2c Copyright", None),
        ("ffmpeg version git-2024-01-01-abcdef", None),
        ("avconv version 11.12", None),
        ("", None),
    ],
)
def test_the_version_is_read_from_the_first_line(first_line: str, version: tuple[int, int] | None) -> None:
    assert parse_version(first_line) == version


def test_only_whole_names_count() -> None:
    assert missing_names(" V....D libx264rgb  H.264 RGB\n A....D aac  AAC\n", ("libx264", "aac")) == ["libx264"]
    assert missing_names("", ("scale",)) == ["scale"]


def test_an_ffmpeg_that_can_do_the_work_has_no_fault(fake_ffmpeg: FakeFfmpeg) -> None:
    path = fake_ffmpeg()

    assert find_fault(path) == ""
    assert find_ffmpeg(path) == path


def test_an_ffmpeg_that_is_named_by_commit_is_judged_by_what_it_can_do(fake_ffmpeg: FakeFfmpeg) -> None:
    assert find_fault(fake_ffmpeg(version="ffmpeg version N-109542-g3a1b2c")) == ""


@pytest.mark.parametrize(
    ("abilities", "fault"),
    [
        ({"version": "ffmpeg version 4.4.2"}, "is version 4.4, older than 5.1"),
        ({"version": "ffmpeg version 5.0.1"}, "is version 5.0, older than 5.1"),
        ({"encoders": " A....D aac  AAC\n"}, "lacks libx264"),
        ({"filters": FILTERS.replace("zscale", "other")}, "lacks zscale"),
        ({"encoders": "", "filters": FILTERS.replace("tonemap", "x")}, "lacks libx264, aac, tonemap"),
        ({"body": "exit 1"}, "does not run"),
        ({"body": "kill -SEGV $$"}, "does not run"),
        ({"body": "yes"}, "does not run"),
    ],
)
def test_a_broken_ffmpeg_bin_is_named_in_a_sentence_and_not_replaced(
    fake_ffmpeg: FakeFfmpeg, abilities: dict[str, str], fault: str
) -> None:
    path = fake_ffmpeg(**abilities)

    with pytest.raises(NoFfmpeg) as refused:
        find_ffmpeg(path)

    assert refused.value.sentence == (
        f"FFMPEG_BIN is {path}, which {fault}; set it to a working ffmpeg or leave it unset."
    )


@pytest.mark.parametrize("kind", ["missing", "folder", "not executable", "no program"])
def test_an_ffmpeg_bin_that_is_no_program_does_not_run(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "ffmpeg"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"\0not a program")
        path.chmod(0o755 if kind == "no program" else 0o644)

    with pytest.raises(NoFfmpeg, match="does not run; set it to a working ffmpeg or leave it unset"):
        find_ffmpeg(str(path))


def test_an_ffmpeg_bin_that_hangs_does_not_run(fake_ffmpeg: FakeFfmpeg, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(path: str, option: str) -> str:
        raise OutOfTime

    monkeypatch.setattr(locate, "read_output", hang)

    assert find_fault(fake_ffmpeg()) == "does not run"


def test_an_ffmpeg_on_path_without_x264_gives_way_to_the_bundled_one(
    fake_ffmpeg: FakeFfmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = fake_ffmpeg(encoders=" A....D aac  AAC\n")
    monkeypatch.setenv("PATH", f"{Path(poor).parent}:/usr/bin:/bin")

    assert find_ffmpeg() == bundled_ffmpeg() != poor


def test_a_good_ffmpeg_on_path_comes_before_the_bundled_one(
    fake_ffmpeg: FakeFfmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = fake_ffmpeg()
    monkeypatch.setenv("PATH", f"{Path(good).parent}:/usr/bin:/bin")

    assert find_ffmpeg() == good


def test_without_any_usable_ffmpeg_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(locate, "bundled_ffmpeg", lambda: None)

    with pytest.raises(NoFfmpeg, match=r"install ffmpeg 5\.1 or newer with libx264"):
        find_ffmpeg()


def test_the_search_is_made_once(fake_ffmpeg: FakeFfmpeg) -> None:
    path = fake_ffmpeg()
    find_ffmpeg(path)
    Path(path).unlink()

    assert find_ffmpeg(path) == path
