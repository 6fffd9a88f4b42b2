"""`default_storage` in a bucket of a real S3 server, which checks signatures."""

import io
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from rest_framework.test import APIClient

from content_app.input_rules import MEGABYTE
from content_app.models import Video
from content_app.services.storage import disk_space
from content_app.services.storage.storage_options import MAX_MEMORY_BYTES, file_storage
from content_app.services.storage.stores import get_store
from content_app.tests.factories import make_upload
from media_pipeline.errors import SourceMissing, StorageUnavailable
from media_pipeline.storage import s3
from media_pipeline.storage.buckets import Buckets, S3Connection
from media_pipeline.storage.s3_faults import SENTENCES
from tests.ceph import Ceph
from tests.fault_proxy import Fault, FaultProxy
from users_app.models import User

NAME = "originals/some-id/film.mp4"
URL_LIFETIME_S = 600
PART_BYTES = 5 * MEGABYTE  # the smallest part that servers accept


@pytest.fixture
def connection(s3_server: Ceph) -> S3Connection:
    bucket = s3_server.make_bucket()
    return S3Connection(
        Buckets(bucket, bucket, bucket), s3_server.region, s3_server.url, timeout_s=10, attempts=2,
        access_key_id=s3_server.access_key_id, secret_access_key=s3_server.secret_access_key,
    )  # fmt: skip


@pytest.fixture
def use(settings: Any, tmp_path: Path) -> Callable[[S3Connection], None]:
    """Media lie in the buckets of this connection from now on."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()

    def change(connection: S3Connection) -> None:
        settings.S3_CONNECTION = connection
        settings.STORAGES = {
            **settings.STORAGES, "default": file_storage(connection, url_lifetime_s=URL_LIFETIME_S)
        }  # fmt: skip

    return change


@pytest.fixture(autouse=True)
def _in_bucket(connection: S3Connection, use: Callable[[S3Connection], None]) -> None:
    use(connection)


@pytest.fixture
def bucket(connection: S3Connection) -> str:
    return connection.buckets.originals


@pytest.fixture
def proxy(s3_server: Ceph, connection: S3Connection, use: Callable[[S3Connection], None]) -> Iterator[FaultProxy]:
    """A proxy between the storage and its bucket."""
    with FaultProxy(s3_server.url) as proxy:
        use(replace(connection, endpoint_url=proxy.url))
        yield proxy


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART_BYTES", PART_BYTES)


def uploaded_file(content: bytes) -> TemporaryUploadedFile:
    """Returns the content as an uploaded file of a form."""
    file = TemporaryUploadedFile("film.mp4", "video/mp4", len(content), None)
    file.write(content)
    file.seek(0)
    return file


def get(url: str) -> Any:
    return urllib3.request("GET", url, retries=False, timeout=10)


def unfinished_uploads(server: Ceph, bucket: str) -> list[str]:
    found = server.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return [upload["Key"] for upload in found]


# --- options ---------------------------------------------------------------------------------------------------------


def test_the_options_come_from_the_connection_of_the_store() -> None:
    connection = S3Connection(
        Buckets("raw", "processed", "pictures"), "eu-central-1", "https://s3.example.com",
        access_key_id="key", secret_access_key="secret", session_token="token",
    )  # fmt: skip
    options = file_storage(connection, url_lifetime_s=3600)["OPTIONS"]
    assert options["bucket_name"] == "raw"
    assert (options["region_name"], options["endpoint_url"]) == ("eu-central-1", "https://s3.example.com")
    assert (options["access_key"], options["secret_key"], options["security_token"]) == ("key", "secret", "token")
    assert (options["default_acl"], options["querystring_auth"], options["querystring_expire"]) == (None, True, 3600)


def test_without_keys_the_role_of_the_machine_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_S3_SESSION_PROFILE", "somebody")
    options = file_storage(S3Connection(Buckets("a", "a", "a"), "us-east-1"), url_lifetime_s=3600)["OPTIONS"]
    named = ("access_key", "secret_key", "security_token", "session_profile", "endpoint_url")
    assert [options[name] for name in named] == [None] * 5


@pytest.mark.parametrize("endpoint_url", ["", "https://s3.example.com"])
def test_the_client_is_configured_as_the_client_of_the_store(
    use: Callable[[S3Connection], None], endpoint_url: str
) -> None:
    connection = S3Connection(
        Buckets("films", "films", "films"), "eu-central-1", endpoint_url, timeout_s=7, attempts=4,
        access_key_id="key", secret_access_key="secret",
    )  # fmt: skip
    use(connection)
    client, own = default_storage.connection.meta.client, s3.S3Store(connection).client  # type: ignore[attr-defined]
    for name in (
        *("signature_version", "connect_timeout", "read_timeout", "retries", "max_pool_connections", "s3"),
        *("request_checksum_calculation", "response_checksum_validation", "region_name"),
    ):
        assert getattr(client.meta.config, name) == getattr(own.meta.config, name), name
    assert client.meta.endpoint_url == own.meta.endpoint_url
    assert client.meta.config.signature_version == "s3v4"
    assert client.meta.config.s3["addressing_style"] == ("path" if endpoint_url else "virtual")


def test_neither_the_settings_nor_the_models_load_boto3(tmp_path: Path) -> None:
    """A process with a bucket loads it when it uses the bucket, one without a bucket never."""
    script = (
        "import django, sys; django.setup(); from content_app.models import Video; import config.urls; "
        "from django.core.files.storage import default_storage; "
        "print(sorted({'boto3', 'botocore', 'storages'} & set(sys.modules))); "
        "default_storage.exists; print(sorted({'boto3', 'botocore', 'storages'} & set(sys.modules)))"
    )
    loaded = []
    for is_in_bucket in ("0", "1"):
        env = {
            "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1", "ENV_FILE": "", "USE_SQLITE_LOCAL": "1",
            "DATA_DIR": str(tmp_path), "USE_S3_MEDIA": is_in_bucket, "AWS_STORAGE_BUCKET_NAME": "films",
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        }  # fmt: skip
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        loaded.append(done.stdout.splitlines())
    assert loaded == [["[]", "[]"], ["[]", "['boto3', 'botocore', 'storages']"]]


# --- saving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [uploaded_file, lambda content: ContentFile(content, name="film.mp4"), lambda content: File(io.BytesIO(content))],
    ids=["form", "memory", "stream"],
)
def test_a_saved_object_has_the_headers_of_the_store(
    s3_server: Ceph, bucket: str, content: Callable[[bytes], Any]
) -> None:
    assert default_storage.save(NAME, content(b"a film")) == NAME

    answer = s3_server.client().get_object(Bucket=bucket, Key=NAME)
    assert answer["Body"].read() == b"a film"
    assert (answer["ContentType"], answer["CacheControl"]) == ("application/octet-stream", "private, no-store")
    owner, *others = s3_server.client().get_object_acl(Bucket=bucket, Key=NAME)["Grants"]
    assert (owner["Permission"], others) == ("FULL_CONTROL", [])
    assert get_store().read_bytes(NAME) == b"a film"


def test_text_and_files_of_the_disk_are_saved(bucket: str, tmp_path: Path) -> None:
    default_storage.save("originals/some-id/text", ContentFile("Ünïcode"))
    (tmp_path / "film").write_bytes(b"a film")
    with (tmp_path / "film").open("rb") as file:
        default_storage.save(NAME, File(file, name="film.mp4"))

    assert get_store().read_bytes("originals/some-id/text") == "Ünïcode".encode()
    assert get_store().read_bytes(NAME) == b"a film"


def test_a_large_file_is_uploaded_by_its_path_in_parts(
    proxy: FaultProxy, bucket: str, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"".join(bytes([number]) * PART_BYTES for number in (1, 2)) + b"end"
    file = uploaded_file(content)
    file.flush()
    for name in ("read", "chunks"):
        monkeypatch.setattr(
            TemporaryUploadedFile, name, lambda *args: pytest.fail("the file was read by way of Django")
        )
    default_storage.save(NAME, file)

    assert proxy.count("PUT", f"/{bucket}/{NAME}") == 3
    assert get_store().read_bytes(NAME) == content


def test_a_form_stores_the_original(
    owner: User, as_user: Callable[[User], APIClient], enqueued: list[int], settings: Any
) -> None:
    answer = as_user(owner).post("/api/v1/videos/", {"title": "Film", "file": make_upload(content=b"a film")})
    assert answer.status_code == 201, answer.content

    video = Video.objects.get()
    assert (video.video_file.name or "").startswith(f"originals/{video.public_id}/")
    assert video.video_file.size == 6
    assert video.video_file.read() == b"a film"
    assert get(video.video_file.url).data == b"a film"
    assert list(Path(settings.WORK_DIR).iterdir()) == list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == []
    video.video_file.delete(save=False)
    assert list(get_store().list("originals")) == []


# --- reading and writing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [0, 1000, MAX_MEMORY_BYTES + 1000])
def test_a_large_object_is_read_through_a_file_on_disk(size_bytes: int) -> None:
    content = (b"0123456789" * (size_bytes // 10 + 1))[:size_bytes]
    default_storage.save(NAME, ContentFile(content))
    with default_storage.open(NAME) as file:
        assert file.size == size_bytes
        assert file.read() == content
        assert file.file._rolled == (size_bytes > MAX_MEMORY_BYTES)  # type: ignore[union-attr]  # of S3File
        file.seek(3)
        assert file.read(4) == content[3:7]
        assert b"".join(file.chunks()) == content
    with default_storage.open(NAME, "r") as text:
        assert text.read() == content.decode()


def test_reading_never_takes_the_reserve_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    small = "originals/some-id/small"
    default_storage.save(small, ContentFile(bytes(MAX_MEMORY_BYTES)))
    default_storage.save(NAME, ContentFile(bytes(MAX_MEMORY_BYTES + 1)))
    monkeypatch.setattr(disk_space, "left_bytes", lambda folder: 0)
    with default_storage.open(NAME) as file, pytest.raises(disk_space.NoRoom):
        file.read()
    with default_storage.open(small) as file:  # in memory
        assert len(file.read()) == MAX_MEMORY_BYTES


def test_an_object_is_written_in_parts_and_there_when_it_is_closed(s3_server: Ceph, bucket: str) -> None:
    content = bytes(PART_BYTES) + b"end"
    with default_storage.open(NAME, "wb") as file:
        for offset in range(0, len(content), MEGABYTE):
            file.write(content[offset : offset + MEGABYTE])
        assert not default_storage.exists(NAME)

    assert get_store().read_bytes(NAME) == content
    head = s3_server.client().head_object(Bucket=bucket, Key=NAME)
    assert (head["ContentType"], head["CacheControl"]) == ("application/octet-stream", "private, no-store")
    with default_storage.open("originals/some-id/empty", "w"):
        pass
    assert default_storage.size("originals/some-id/empty") == 0


# --- questions -------------------------------------------------------------------------------------------------------


def test_an_object_exists_and_has_a_size_and_a_time() -> None:
    default_storage.save(NAME, ContentFile(b"a film"))
    assert default_storage.exists(NAME)
    assert default_storage.size(NAME) == 6
    age = datetime.now(UTC) - default_storage.get_modified_time(NAME)
    assert abs(age) < timedelta(minutes=1)


def test_folders_are_listed() -> None:
    for name in ("originals/a/1.mp4", "originals/a/2.mp4", "originals/b.mp4"):
        default_storage.save(name, ContentFile(b"a film"))
    assert default_storage.listdir("") == (["originals"], [])
    assert default_storage.listdir("originals") == (["a"], ["b.mp4"])
    assert default_storage.listdir("originals/a/") == ([], ["1.mp4", "2.mp4"])
    assert default_storage.listdir("nothing") == ([], [])


def test_deleting_removes_this_object_and_may_be_repeated() -> None:
    for name in (NAME, f"{NAME}.other", f"{NAME}/below"):
        default_storage.save(name, ContentFile(b"a film"))
    for _ in range(2):
        default_storage.delete(NAME)
    assert list(get_store().list("originals")) == [f"{NAME}.other", f"{NAME}/below"]


def test_a_missing_object_raises_the_errors_of_the_store_and_of_django() -> None:
    assert not default_storage.exists(NAME)
    for operation in (default_storage.size, default_storage.open, default_storage.get_modified_time):
        with pytest.raises(FileNotFoundError) as missed:
            operation(NAME)
        assert isinstance(missed.value, SourceMissing)
        assert missed.value.code == "source_missing"


def test_a_copy_of_the_storage_works() -> None:
    default_storage.save(NAME, ContentFile(b"a film"))
    copy = pickle.loads(pickle.dumps(default_storage._wrapped))  # type: ignore[attr-defined]  # noqa: S301 - pickled on the same line
    assert copy.open(NAME).read() == b"a film"


# --- addresses -------------------------------------------------------------------------------------------------------


def test_an_address_is_signed_and_ends() -> None:
    default_storage.save(NAME, ContentFile(b"a film"))
    url = default_storage.url(NAME)
    assert get(url).data == b"a film"
    assert get(url.partition("?")[0]).status == 403
    query = parse_qs(urlsplit(url).query)
    assert (query["X-Amz-Expires"], query["X-Amz-Algorithm"]) == ([str(URL_LIFETIME_S)], ["AWS4-HMAC-SHA256"])

    short = default_storage.url(NAME, expire=1)  # type: ignore[call-arg]  # of S3Storage
    assert get(short).status == 200
    time.sleep(2)
    assert get(short).status == 403


def test_an_address_never_lasts_longer_than_the_settings_say() -> None:
    url = default_storage.url(NAME, expire=7 * 24 * 3600)  # type: ignore[call-arg]  # of S3Storage
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == [str(URL_LIFETIME_S)]


def test_an_address_may_change_the_headers_of_the_answer() -> None:
    default_storage.save(NAME, ContentFile(b"a film"))
    disposition = {"ResponseContentDisposition": 'attachment; filename="film.mp4"'}
    answer = get(default_storage.url(NAME, parameters=disposition))  # type: ignore[call-arg]  # of S3Storage
    assert answer.headers["content-disposition"] == disposition["ResponseContentDisposition"]


def test_addresses_lead_where_browsers_reach_the_storage(
    connection: S3Connection, use: Callable[[S3Connection], None]
) -> None:
    use(replace(connection, public_endpoint_url="https://media.example.com"))
    assert default_storage.url(NAME).startswith(f"https://media.example.com/{connection.buckets.originals}/{NAME}?")


# --- a storage that fails --------------------------------------------------------------------------------------------


def every_operation() -> list[Callable[[], object]]:
    return [
        lambda: default_storage.save(NAME, uploaded_file(b"a film")),
        lambda: default_storage.save(NAME, ContentFile(b"a film")),
        lambda: default_storage.open(NAME),
        lambda: default_storage.open(NAME, "wb").write(b"a film"),
        lambda: default_storage.open(NAME, "wb").close(),
        lambda: default_storage.exists(NAME),
        lambda: default_storage.size(NAME),
        lambda: default_storage.get_modified_time(NAME),
        lambda: default_storage.delete(NAME),
        lambda: default_storage.listdir("originals"),
    ]


def failures() -> list[StorageUnavailable]:
    raised = []
    for operation in every_operation():
        with pytest.raises(StorageUnavailable) as failed:
            operation()
        assert failed.value.code == "storage_unavailable"
        raised.append(failed.value)
    return raised


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"buckets": Buckets(*["no-such-bucket"] * 3)}, "There is no bucket no-such-bucket"),
        ({"access_key_id": "NOBODY"}, SENTENCES["InvalidAccessKeyId"]),
        ({"secret_access_key": "wrong"}, SENTENCES["SignatureDoesNotMatch"]),
    ],
)
def test_every_operation_names_the_wrong_setting(
    connection: S3Connection, use: Callable[[S3Connection], None], changes: dict[str, Any], sentence: str
) -> None:
    use(replace(connection, **changes))
    for error in failures():
        assert sentence in error.detail


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(refuses=True)])
def test_a_storage_that_fails_is_unavailable(proxy: FaultProxy, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retryhandler.random.random", lambda: 0.02)  # the first wait, in seconds
    proxy.be(fault)
    assert len(failures()) == len(every_operation())


def test_a_download_that_breaks_off_is_never_taken_for_the_object(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    default_storage.save(NAME, ContentFile(b"a film"))
    with default_storage.open(NAME) as file:
        proxy.be(Fault(cut_after=3, method="GET"))
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                file.read()
        proxy.be_normal()
        assert file.read() == b"a film"


def test_an_upload_that_arrives_changed_is_refused_and_leaves_nothing(
    s3_server: Ceph, proxy: FaultProxy, bucket: str, small_parts: None
) -> None:
    proxy.be(Fault(corrupts=True, method="PUT"))
    with pytest.raises(StorageUnavailable) as failed:
        default_storage.save(NAME, uploaded_file(bytes(PART_BYTES + 1)))
    assert failed.value.detail == SENTENCES["BadDigest"]
    assert list(get_store().list("originals")) == unfinished_uploads(s3_server, bucket) == []


def test_a_storage_that_hangs_in_the_middle_of_an_upload_is_not_waited_for_twice(
    connection: S3Connection, proxy: FaultProxy, use: Callable[[S3Connection], None], small_parts: None
) -> None:
    use(replace(connection, endpoint_url=proxy.url, timeout_s=1, attempts=1))
    proxy.be(Fault(hangs=True, method="PUT"))
    default_storage.connection  # type: ignore[attr-defined]  # noqa: B018 - made beforehand, so that it is not timed
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        default_storage.save(NAME, uploaded_file(bytes(PART_BYTES + 1)))
    assert time.monotonic() - began < 5
