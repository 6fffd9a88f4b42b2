"""Objects in buckets of a real S3 server, which checks signatures; a proxy in front of it causes the faults."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import pytest
import urllib3

from media_pipeline.errors import PipelineError, SourceExchanged, SourceMissing, StorageUnavailable
from media_pipeline.storage import s3
from media_pipeline.storage.buckets import Buckets, S3Connection
from media_pipeline.storage.s3 import S3Store
from media_pipeline.storage.s3_faults import SENTENCES
from media_pipeline.storage.store import NewObject
from tests.ceph import Ceph
from tests.fault_proxy import Fault, FaultProxy
from tests.services import free_port

KEY = "videos/some-id/v1/720p.mp4"
POSTER = "videos/some-id/v1/poster.jpg"
ORIGINAL = "originals/some-id.mkv"
MIB = 1024**2
PART_BYTES = 5 * MIB  # the smallest part that servers accept
DENIED = "give them the policy"
NO_BUCKET = "There is no bucket"


class Stopped(Exception):
    pass


@pytest.fixture
def connection(s3_server: Ceph) -> S3Connection:
    """A connection to one bucket, with few attempts."""
    bucket = s3_server.make_bucket()
    return S3Connection(
        buckets=Buckets(bucket, bucket, bucket),
        region=s3_server.region,
        endpoint_url=s3_server.url,
        access_key_id=s3_server.access_key_id,
        secret_access_key=s3_server.secret_access_key,
        timeout_s=10,
        attempts=3,
    )


@pytest.fixture
def store(connection: S3Connection) -> S3Store:
    return S3Store(connection)


@pytest.fixture
def bucket(connection: S3Connection) -> str:
    return connection.buckets.processed


@pytest.fixture
def proxy(s3_server: Ceph) -> Iterator[FaultProxy]:
    with FaultProxy(s3_server.url) as proxy:
        yield proxy


@pytest.fixture
def behind_proxy(connection: S3Connection, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """The same bucket, behind the proxy."""
    monkeypatch.setattr("botocore.retryhandler.random.random", lambda: 0.02)  # the first wait, in seconds
    return S3Store(replace(connection, endpoint_url=proxy.url))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART_BYTES", PART_BYTES)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a film")
    return path


@pytest.fixture
def long_film(tmp_path: Path) -> Path:
    """A film of three parts, all different."""
    path = tmp_path / "long.mp4"
    path.write_bytes(b"".join(bytes([number]) * PART_BYTES for number in (1, 2)) + bytes(2 * MIB))
    return path


def failure_of(operation: Callable[[], object]) -> PipelineError:
    with pytest.raises(PipelineError) as failed:
        operation()
    return failed.value


def unfinished_uploads(server: Ceph, bucket: str) -> list[str]:
    found = server.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return [upload["Key"] for upload in found]


def get(url: str, **headers: str) -> Any:
    return urllib3.request("GET", url, headers=headers, retries=False, timeout=10)


# --- objects ---------------------------------------------------------------------------------------------------------


def test_an_object_comes_back_as_it_was_put(store: S3Store, film: Path, tmp_path: Path) -> None:
    store.put(film, KEY, "video/mp4")
    store.fetch(KEY, tmp_path / "copy")

    assert store.size(KEY) == len(b"a film")
    assert store.read_bytes(KEY) == (tmp_path / "copy").read_bytes() == b"a film"


def test_an_empty_object_comes_back_empty(store: S3Store, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    store.put(tmp_path / "empty", KEY, "text/vtt")
    store.fetch(KEY, tmp_path / "copy")

    assert store.size(KEY) == 0
    assert store.read_bytes(KEY) == (tmp_path / "copy").read_bytes() == b""


def test_a_key_may_have_odd_characters(store: S3Store, film: Path) -> None:
    key = "videos/some-id/ü 日本+%41&?#.mp4"
    store.put(film, key, "video/mp4")

    assert store.read_bytes(key) == b"a film"
    assert list(store.list("videos/some-id")) == [key]
    assert get(store.signed_url(key, 60)).data == b"a film"
    assert store.delete_prefix(key) == 1


def test_putting_again_replaces_the_object(store: S3Store, film: Path) -> None:
    store.put(film, KEY, "video/mp4")
    film.write_bytes(b"another")
    store.put(film, KEY, "video/mp4")

    assert store.read_bytes(KEY) == b"another"


def test_several_objects_are_put_at_once(store: S3Store, film: Path) -> None:
    ticks: list[int] = []
    keys = sorted(f"videos/some-id/v1/{number}.mp4" for number in range(8))

    store.put_all([NewObject(film, key, "video/mp4") for key in keys], lambda: ticks.append(1))

    assert list(store.sizes("videos")) == [(key, 6) for key in keys]
    assert ticks


def test_a_large_file_goes_and_comes_in_parts(
    behind_proxy: S3Store, proxy: FaultProxy, bucket: str, small_parts: None, long_film: Path, tmp_path: Path
) -> None:
    behind_proxy.put(long_film, ORIGINAL, "video/x-matroska")
    behind_proxy.fetch(ORIGINAL, tmp_path / "copy")

    path = f"/{bucket}/{ORIGINAL}"
    assert (tmp_path / "copy").read_bytes() == long_film.read_bytes()
    assert proxy.count("PUT", path) == proxy.count("GET", path) == 3
    assert proxy.answered_bytes["GET", path] == long_film.stat().st_size


@pytest.mark.parametrize(
    ("key", "kept"), [(KEY, "private, max-age=31536000, immutable"), (ORIGINAL, "private, no-store")]
)
@pytest.mark.parametrize("name", ["film", "long_film"])
def test_objects_have_a_content_type_and_a_cache_policy(
    request: pytest.FixtureRequest, s3_server: Ceph, store: S3Store, bucket: str, small_parts: None,
    key: str, kept: str, name: str,
) -> None:  # fmt: skip
    store.put(request.getfixturevalue(name), key, "video/mp4")

    head = s3_server.client().head_object(Bucket=bucket, Key=key)
    assert (head["ContentType"], head["CacheControl"]) == ("video/mp4", kept)


def test_a_missing_object_is_told_from_a_broken_storage(store: S3Store, film: Path, tmp_path: Path) -> None:
    store.put(film, KEY, "video/mp4")
    for key in ("videos/other/v1/720p.mp4", "videos/some-id"):
        for operation in (store.size, store.read_bytes, lambda key: store.fetch(key, tmp_path / "copy")):
            with pytest.raises(SourceMissing):
                operation(key)
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("name", ["film", "long_film"])
def test_an_object_that_was_exchanged_is_not_fetched(
    request: pytest.FixtureRequest, s3_server: Ceph, store: S3Store, bucket: str, small_parts: None,
    tmp_path: Path, name: str,
) -> None:  # fmt: skip
    path = request.getfixturevalue(name)
    store.put(path, ORIGINAL, "video/mp4")
    etag = s3_server.client().head_object(Bucket=bucket, Key=ORIGINAL)["ETag"]
    store.fetch(ORIGINAL, tmp_path / "copy", etag=etag)
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()

    path.write_bytes(path.read_bytes()[::-1])
    store.put(path, ORIGINAL, "video/mp4")
    with pytest.raises(SourceExchanged):
        store.fetch(ORIGINAL, tmp_path / "second", etag=etag)
    assert not (tmp_path / "second").exists()


def test_a_fetch_into_a_missing_folder_raises_the_error_of_the_disk(store: S3Store, film: Path, tmp_path: Path) -> None:
    store.put(film, KEY, "video/mp4")

    with pytest.raises(OSError, match="No such file"):
        store.fetch(KEY, tmp_path / "no-folder" / "copy")


# --- prefixes and buckets --------------------------------------------------------------------------------------------


@pytest.fixture
def three_objects(store: S3Store, film: Path) -> list[str]:
    keys = ["videos/a/v1/720p.mp4", "videos/a/v1/master.m3u8", "videos/a/v2/720p.mp4"]
    store.put_all([NewObject(film, key, "video/mp4") for key in [*keys, "videos/ab/v1/720p.mp4"]])
    return keys


@pytest.mark.parametrize(
    ("prefix", "found"), [("videos/a", 3), ("videos/a/v1", 2), ("videos/a/v1/720p.mp4", 1), ("videos/x", 0)]
)
def test_a_prefix_is_a_folder_or_one_object(
    store: S3Store, three_objects: list[str], prefix: str, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "DELETE_BATCH", 2)

    assert sorted(store.list(prefix)) == sorted(key for key in three_objects if f"{key}/".startswith(f"{prefix}/"))
    assert [store.delete_prefix(prefix), store.delete_prefix(prefix)] == [found, 0]
    assert list(store.list(prefix)) == []
    assert len(list(store.list("videos"))) == 4 - found


def test_objects_are_spread_over_three_buckets(
    s3_server: Ceph, connection: S3Connection, film: Path, tmp_path: Path
) -> None:
    buckets = Buckets(*(s3_server.make_bucket(name) for name in ("originals", "processed", "pictures")))
    store = S3Store(replace(connection, buckets=buckets))
    store.put_all([NewObject(film, key, "video/mp4") for key in (ORIGINAL, KEY, POSTER)])

    lying = [s3_server.client().list_objects_v2(Bucket=name)["Contents"] for name in buckets.names]
    assert [[item["Key"] for item in items] for items in lying] == [[ORIGINAL], [KEY], [POSTER]]
    assert sorted(store.list("videos/some-id")) == [KEY, POSTER]
    assert list(store.list("originals")) == [ORIGINAL]
    for key in (ORIGINAL, KEY, POSTER):
        assert store.read_bytes(key) == get(store.signed_url(key, 60)).data == b"a film"
    assert (store.delete_prefix("videos"), store.delete_prefix("originals")) == (2, 1)


# --- signed addresses ------------------------------------------------------------------------------------------------


def test_nothing_can_be_read_without_a_signature(s3_server: Ceph, store: S3Store, bucket: str, film: Path) -> None:
    store.put(film, KEY, "video/mp4")

    assert get(f"{s3_server.url}/{bucket}/{KEY}").status == 403
    assert get(f"{s3_server.url}/{bucket}").status == 403


def test_a_signed_address_reads_ranges(store: S3Store, film: Path) -> None:
    store.put(film, KEY, "video/mp4")

    answer = get(store.signed_url(KEY, 60), Range="bytes=2-3")

    assert (answer.status, answer.data, answer.headers["Content-Range"]) == (206, b"fi", "bytes 2-3/6")
    assert answer.headers["Content-Type"] == "video/mp4"


def test_a_signed_address_reads_one_object_only(store: S3Store, film: Path) -> None:
    store.put_all([NewObject(film, key, "video/mp4") for key in (KEY, ORIGINAL)])
    url = store.signed_url(KEY, 60)

    for tampered in (
        url.replace(KEY, ORIGINAL),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
    ):
        assert get(tampered).status == 403
    assert urllib3.request("PUT", url, body=b"other", retries=False).status == 403
    assert store.read_bytes(KEY) == b"a film"


def test_a_signed_address_ends(store: S3Store, film: Path) -> None:
    store.put(film, KEY, "video/mp4")
    url = store.signed_url(KEY, 1)  # counts from the beginning of the second in which it was signed

    time.sleep(2.1)
    assert get(url).status == 403
    assert get(store.signed_url(KEY, 60)).status == 200


def test_browsers_may_reach_the_server_by_another_address(
    connection: S3Connection, proxy: FaultProxy, film: Path
) -> None:
    connection = replace(connection, public_endpoint_url=proxy.url)
    store = S3Store(connection)
    store.put(film, KEY, "video/mp4")
    url = store.signed_url(KEY, 60)

    assert connection.origins == (proxy.url,)
    assert url.startswith(f"{proxy.url}/")
    assert get(url).data == b"a film"
    assert proxy.count("PUT") == 0


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1"])
@pytest.mark.parametrize("name", ["films", "my.films"])
def test_the_origins_are_those_of_signed_addresses_at_amazon(region: str, name: str) -> None:
    connection = S3Connection(
        Buckets("originals", name, "pictures"), region, access_key_id="KEY", secret_access_key="secret"
    )
    store = S3Store(connection)

    urls = [urlsplit(store.signed_url(key, 60)) for key in (KEY, POSTER)]
    assert connection.origins == tuple(f"{url.scheme}://{url.netloc}" for url in urls)


class Credentials:
    """Credentials, of a role if they have a token; with `ends_in_s` they end after that time."""

    def __init__(self, token: str = "", ends_in_s: float | None = None) -> None:
        self.token = token
        self.ends_in_s = ends_in_s

    @property
    def _expiry_time(self) -> datetime | None:
        return None if self.ends_in_s is None else datetime.now(UTC) + timedelta(seconds=self.ends_in_s)

    def get_frozen_credentials(self) -> SimpleNamespace:
        return SimpleNamespace(token=self.token)


@pytest.mark.parametrize(
    ("credentials", "longest_s"),
    [
        (None, s3.MAX_SIGNED_S),
        (Credentials(), s3.MAX_SIGNED_S),
        (Credentials(token="t"), s3.UNKNOWN_END_S),
        (Credentials(token="t", ends_in_s=1000), 1000),
        (Credentials(token="t", ends_in_s=10**7), s3.MAX_SIGNED_S),
    ],
)
def test_a_signature_never_outlives_its_credentials(
    connection: S3Connection, credentials: Credentials | None, longest_s: int
) -> None:
    store = S3Store(connection)
    store.session = SimpleNamespace(get_credentials=lambda: credentials)

    assert longest_s - 1 <= store.max_signature_s() <= longest_s


@pytest.mark.parametrize(("ends_in_s", "least", "most"), [(100, 90, 100), (-5, 1, 1)])
def test_a_signed_address_says_when_its_credentials_end(
    connection: S3Connection, ends_in_s: int, least: int, most: int
) -> None:
    store = S3Store(connection)
    store.session = SimpleNamespace(get_credentials=lambda: Credentials(token="t", ends_in_s=ends_in_s))

    url = store.signed_url(KEY, 3600)

    assert least <= int(url.partition("X-Amz-Expires=")[2].partition("&")[0]) <= most


# --- wrong settings --------------------------------------------------------------------------------------------------


def every_operation(store: S3Store, film: Path) -> list[Callable[[], object]]:
    return [
        store.check,
        lambda: store.size(KEY),
        lambda: store.read_bytes(KEY),
        lambda: store.fetch(KEY, film.with_name("copy")),
        lambda: store.put(film, KEY, "video/mp4"),
        lambda: list(store.list("videos")),
        lambda: store.delete_prefix("videos"),
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"buckets": Buckets(*["no-such-bucket"] * 3)}, NO_BUCKET),
        ({"buckets": Buckets(*["no bucket!"] * 3)}, "no bucket! is no name of a bucket"),
        ({"access_key_id": "NOBODY"}, SENTENCES["InvalidAccessKeyId"]),
        ({"secret_access_key": "wrong"}, SENTENCES["SignatureDoesNotMatch"]),
    ],
)
def test_every_operation_names_the_wrong_setting(
    connection: S3Connection, film: Path, changes: dict[str, Any], sentence: str
) -> None:
    for operation in every_operation(S3Store(replace(connection, **changes)), film):
        error = failure_of(operation)
        assert isinstance(error, StorageUnavailable)
        assert sentence in error.detail
        assert not error.permanent


def test_the_error_of_a_user_without_rights_names_the_policy(
    s3_server: Ceph, connection: S3Connection, film: Path
) -> None:
    s3_server.make_user("stranger", "STRANGER", "secret-of-the-stranger")
    stranger = replace(connection, access_key_id="STRANGER", secret_access_key="secret-of-the-stranger")

    for operation in every_operation(S3Store(stranger), film):
        assert DENIED in failure_of(operation).detail


def test_a_wrong_clock_is_named(connection: S3Connection, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *args, **named: real(*args, **named) + timedelta(hours=1)
    )

    for operation in every_operation(S3Store(connection), film):
        assert failure_of(operation).detail == SENTENCES["RequestTimeTooSkewed"]


def test_the_check_is_asked_again_after_some_seconds_only(
    behind_proxy: S3Store, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        behind_proxy.check()
    assert proxy.requests.total() == 1

    monkeypatch.setattr(behind_proxy, "checked_until", 0)
    behind_proxy.check()
    assert proxy.requests.total() == 2


# --- a storage that fails --------------------------------------------------------------------------------------------


def test_two_failures_are_outlasted(behind_proxy: S3Store, proxy: FaultProxy, film: Path, tmp_path: Path) -> None:
    for method, operation in (
        ("PUT", lambda: behind_proxy.put(film, KEY, "video/mp4")),
        ("GET", lambda: behind_proxy.fetch(KEY, tmp_path / "copy")),
        ("POST", lambda: behind_proxy.delete_prefix("videos")),
    ):
        proxy.be(Fault(status=500, method=method, times=2))
        operation()
    assert (tmp_path / "copy").read_bytes() == b"a film"


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(refuses=True)])
def test_a_storage_that_fails_for_ever_is_unavailable(
    behind_proxy: S3Store, proxy: FaultProxy, film: Path, fault: Fault
) -> None:
    proxy.be(fault)

    for operation in every_operation(behind_proxy, film):
        error = failure_of(operation)
        assert isinstance(error, StorageUnavailable)
        assert error.detail
    assert not film.with_name("copy").exists()


def test_a_storage_that_is_not_there_is_unavailable(connection: S3Connection, film: Path) -> None:
    store = S3Store(replace(connection, endpoint_url=f"http://127.0.0.1:{free_port()}", attempts=1))

    for operation in every_operation(store, film):
        assert "cannot be reached" in failure_of(operation).detail


def test_a_storage_that_hangs_is_unavailable_in_time(connection: S3Connection, proxy: FaultProxy, film: Path) -> None:
    store = S3Store(replace(connection, endpoint_url=proxy.url, timeout_s=0.2, attempts=1))
    proxy.be(Fault(hangs=True))

    for operation in every_operation(store, film):
        began = time.monotonic()
        assert isinstance(failure_of(operation), StorageUnavailable)
        assert time.monotonic() - began < 15


def test_requests_of_users_give_up_sooner_than_workers(connection: S3Connection) -> None:
    store = S3Store(replace(connection, timeout_s=20, attempts=6))

    patient, quick = store.client.meta.config, store.quick_client.meta.config
    assert (patient.read_timeout, patient.retries["total_max_attempts"]) == (20, 6)
    assert (quick.read_timeout, quick.retries["total_max_attempts"]) == (s3.QUICK_TIMEOUT_S, s3.QUICK_ATTEMPTS)


def test_a_slow_download_arrives_and_ticks_all_the_while(
    behind_proxy: S3Store, proxy: FaultProxy, film: Path, tmp_path: Path
) -> None:
    film.write_bytes(bytes(MIB))
    behind_proxy.put(film, KEY, "video/mp4")
    proxy.be(Fault(bytes_per_s=2 * MIB, method="GET"))
    ticks: list[float] = []

    behind_proxy.fetch(KEY, tmp_path / "copy", lambda: ticks.append(time.monotonic()))

    assert (tmp_path / "copy").read_bytes() == bytes(MIB)
    assert len(ticks) > 3
    assert max(later - earlier for earlier, later in pairwise(ticks)) < 5


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_transfer_that_is_cut_is_tried_again_and_whole(
    behind_proxy: S3Store, proxy: FaultProxy, small_parts: None, long_film: Path, tmp_path: Path, method: str
) -> None:
    proxy.be(Fault(cut_after=MIB, method=method, times=1))

    behind_proxy.put(long_film, ORIGINAL, "video/x-matroska")
    behind_proxy.fetch(ORIGINAL, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == long_film.read_bytes()
    assert proxy.count(method) == 4


def test_a_download_that_is_always_cut_leaves_nothing(
    behind_proxy: S3Store, proxy: FaultProxy, film: Path, tmp_path: Path
) -> None:
    behind_proxy.put(film, KEY, "video/mp4")
    proxy.be(Fault(cut_after=3, method="GET"))
    folder = tmp_path / "folder"
    folder.mkdir()

    for operation in (lambda: behind_proxy.fetch(KEY, folder / "copy"), lambda: behind_proxy.read_bytes(KEY)):
        assert isinstance(failure_of(operation), StorageUnavailable)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["film", "long_film"])
def test_an_object_that_arrives_changed_is_refused(
    request: pytest.FixtureRequest, s3_server: Ceph, behind_proxy: S3Store, proxy: FaultProxy, bucket: str,
    small_parts: None, name: str,
) -> None:  # fmt: skip
    proxy.be(Fault(corrupts=True, method="PUT"))

    error = failure_of(lambda: behind_proxy.put(request.getfixturevalue(name), KEY, "video/mp4"))

    assert (type(error), error.detail) == (StorageUnavailable, SENTENCES["BadDigest"])
    assert list(behind_proxy.list("videos")) == unfinished_uploads(s3_server, bucket) == []


# --- stopping --------------------------------------------------------------------------------------------------------


def stop_after(ticks: int) -> Callable[[], None]:
    left = iter(range(ticks))

    def on_tick() -> None:
        if next(left, None) is None:
            raise Stopped

    return on_tick


def test_an_upload_that_is_stopped_leaves_nothing(
    s3_server: Ceph, behind_proxy: S3Store, proxy: FaultProxy, bucket: str, small_parts: None, long_film: Path
) -> None:
    proxy.be(Fault(bytes_per_s=MIB // 4, method="PUT"))
    began = time.monotonic()

    with pytest.raises(Stopped):
        behind_proxy.put_all([NewObject(long_film, KEY, "video/mp4")], stop_after(5))

    assert time.monotonic() - began < 15  # the whole film takes twenty seconds
    assert list(behind_proxy.list("videos")) == unfinished_uploads(s3_server, bucket) == []


def test_a_download_that_is_stopped_leaves_nothing(
    behind_proxy: S3Store, proxy: FaultProxy, small_parts: None, long_film: Path, tmp_path: Path
) -> None:
    behind_proxy.put(long_film, KEY, "video/mp4")
    proxy.be(Fault(bytes_per_s=MIB // 4, method="GET"))
    folder = tmp_path / "folder"
    folder.mkdir()
    began = time.monotonic()

    with pytest.raises(Stopped):
        behind_proxy.fetch(KEY, folder / "copy", stop_after(5))

    assert time.monotonic() - began < 15
    assert list(folder.iterdir()) == []


def test_an_upload_in_parts_to_a_storage_that_hangs_can_be_stopped(
    connection: S3Connection, proxy: FaultProxy, small_parts: None, long_film: Path
) -> None:
    store = S3Store(replace(connection, endpoint_url=proxy.url, timeout_s=0.5, attempts=6))
    proxy.be(Fault(bytes_per_s=MIB, method="PUT"))

    def stop_once_it_hangs() -> None:
        if proxy.count("PUT"):
            proxy.be(Fault(hangs=True))
            raise Stopped

    began = time.monotonic()
    with pytest.raises(Stopped):
        store.put_all([NewObject(long_film, KEY, "video/mp4")], stop_once_it_hangs)

    assert time.monotonic() - began < 6  # two attempts to remove the parts, not six


def test_an_upload_to_a_storage_that_hangs_can_be_stopped(
    connection: S3Connection, proxy: FaultProxy, film: Path
) -> None:
    store = S3Store(replace(connection, endpoint_url=proxy.url, timeout_s=0.5, attempts=6))
    proxy.be(Fault(hangs=True))
    began = time.monotonic()

    with pytest.raises(Stopped):
        store.put_all([NewObject(film, KEY, "video/mp4")], stop_after(3))

    assert time.monotonic() - began < 4  # the time of one request, not of all attempts


class Transfer:
    """Never done, unless it has failed or is cancelled."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def done(self) -> bool:
        return self.error is not None

    def cancel(self) -> None:
        self.error = self.error or Stopped()

    def result(self) -> None:
        assert self.error
        raise self.error


def test_the_first_failure_of_several_ends_the_others() -> None:
    slow, failed = Transfer(), Transfer(StorageUnavailable())

    with pytest.raises(StorageUnavailable):
        s3.wait_for([(slow, "films"), (failed, "films")], lambda: None)
    assert slow.done()


def test_threads_may_share_a_store(store: S3Store, film: Path) -> None:
    failures: list[Exception] = []

    def use(number: int) -> None:
        try:
            store.put(film, f"videos/{number}", "video/mp4")
            assert get(store.signed_url(f"videos/{number}", 60)).data == store.read_bytes(f"videos/{number}")
        except Exception as error:  # noqa: BLE001 - the assertion below shows any error
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(list(store.list("videos"))) == 8
