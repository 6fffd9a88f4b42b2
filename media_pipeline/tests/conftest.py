"""Real ffmpegs, and versions made with them; each is made once in a test run."""

import os
import shutil
import zlib
from pathlib import Path

import pytest

from media_pipeline.ffmpeg.locate import bundled_ffmpeg, find_fault
from media_pipeline.tests.cases import CASES
from media_pipeline.tests.versions import Studio, Version
from tests.clips import Clip, make_clip

FFMPEGS = {path: name for path, name in ((shutil.which("ffmpeg"), "on PATH"), (bundled_ffmpeg(), "bundled")) if path}


@pytest.fixture(scope="session", params=FFMPEGS, ids=FFMPEGS.get)
def ffmpeg(request: pytest.FixtureRequest) -> str:
    """Each ffmpeg of this machine that the platform would use: their results must agree."""
    if fault := find_fault(request.param):
        leave = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        leave(f"{request.param} {fault}")
    return str(request.param)


@pytest.fixture(scope="session")
def usable_ffmpegs() -> list[str]:
    return [path for path in FFMPEGS if not find_fault(path)]


@pytest.fixture
def one_ffmpeg(request: pytest.FixtureRequest, usable_ffmpegs: list[str]) -> str:
    """One of the ffmpegs, always the same for a test: for tests of the file rather than of ffmpeg."""
    return usable_ffmpegs[zlib.crc32(request.node.name.encode()) % len(usable_ffmpegs)]


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture
def version(studio: Studio, ffmpeg: str, name: str) -> Version:
    case = CASES[name]
    return studio.version(name, case.clip, ffmpeg, case.ladder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a job, with `work` and `out` in it."""
    path = tmp_path / "job"
    for name in ("work", "out"):
        (path / name).mkdir(parents=True)
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips"), Clip(size="160x120", rate="25", duration_s=4))


@pytest.fixture(scope="session")
def front_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with its index before the media."""
    flags = ("-movflags", "+faststart")
    return make_clip(tmp_path_factory.mktemp("clips"), Clip(size="160x120", rate="25", duration_s=4, flags=flags))
