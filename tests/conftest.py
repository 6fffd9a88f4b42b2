"""A platform that runs for real."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_pipeline.ffmpeg.locate import find_ffmpeg
from tests.services import Platform


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of 640×360 at 24000/1001 frames a second, with a tone."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    make_clip(path, seconds=5, size="640x360")
    return path


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes long enough to encode that something can be killed meanwhile."""
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    make_clip(path, seconds=15, size="1280x720")
    return path


def make_clip(path: Path, *, seconds: int, size: str) -> None:
    subprocess.run(
        [
            *(find_ffmpeg(), "-v", "error", "-y"),
            *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=24000/1001:duration={seconds}"),
            *("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", str(path)),
        ],
        check=True,
    )


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for every test that leaves it as it was."""
    running = Platform(tmp_path_factory.mktemp("platform"))
    try:
        running.start_all()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def prepared_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `manage.py bootstrap --migrate` makes, once for every platform that is to be broken."""
    platform = Platform(tmp_path_factory.mktemp("prepared"))
    platform.prepare()
    return platform.database


@pytest.fixture
def own_platform(tmp_path: Path, prepared_database: Path) -> Iterator[Platform]:
    """A platform of this test's own, not started yet: parts of it will be killed."""
    running = Platform(tmp_path, template=prepared_database)
    try:
        yield running
    finally:
        running.stop()
