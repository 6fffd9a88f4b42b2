"""Platforms with real processes, clips, and buckets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ceph import Ceph
from tests.clips import Clip, make_clip
from tests.fault_proxy import FaultProxy
from tests.services import Platform


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of 640×360 at 24000/1001 frames a second, with a tone."""
    return make_clip(tmp_path_factory.mktemp("clips"), Clip(size="640x360", rate="24000/1001", duration_s=5))


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that takes long enough to encode for a test to kill a process meanwhile."""
    return make_clip(tmp_path_factory.mktemp("clips"), Clip(size="1280x720", rate="24000/1001", duration_s=15))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for all tests that leave it as it was."""
    with Platform(tmp_path_factory.mktemp("platform")).running() as running:
        yield running


@pytest.fixture(scope="session")
def prepared_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that `manage.py bootstrap --migrate` makes; platforms of single tests start with a copy."""
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


@pytest.fixture(scope="session")
def bucket(s3_server: Ceph) -> str:
    return s3_server.make_bucket()


@pytest.fixture(scope="session")
def storage_network(s3_server: Ceph) -> Iterator[FaultProxy]:
    """A proxy in front of the S3 server, for the platform and the browsers alike."""
    with FaultProxy(s3_server.url) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def on_bucket(
    tmp_path_factory: pytest.TempPathFactory,
    prepared_database: Path,
    s3_server: Ceph,
    bucket: str,
    storage_network: FaultProxy,
) -> Iterator[Platform]:
    """A platform whose media lie in a bucket."""
    running = Platform(tmp_path_factory.mktemp("on-bucket"), template=prepared_database)
    running.env |= bucket_settings(s3_server, bucket, storage_network.url)
    with running.running():
        made = running.manage("setup_bucket")
        assert made.returncode == 0, made.stderr
        yield running


def bucket_settings(server: Ceph, bucket: str, endpoint_url: str) -> dict[str, str]:
    return {
        "USE_S3_MEDIA": "1",
        "AWS_STORAGE_BUCKET_NAME": bucket,
        "AWS_S3_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
        "S3_TIMEOUT_SECONDS": "10",
    }
