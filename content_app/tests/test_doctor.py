"""`manage.py doctor` and `setup_bucket`, on a folder and on buckets of a real server."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from background.chores import reap
from background.tests.memory_queue import MemoryQueue
from content_app.models import ReaperRound
from content_app.services import checkup
from content_app.services.uploads import tus
from content_app.states import State
from content_app.tests.factories import make_video
from media_pipeline.ffmpeg import run, sandbox
from media_pipeline.ffmpeg.sandbox import Demand, Means
from media_pipeline.storage.buckets import Buckets, S3Connection
from media_pipeline.storage.s3 import S3Store
from tests.ceph import Ceph
from tests.cognito import aws_error, make_pool, running_cognito
from tests.services import free_port, started
from tests.smtp import SmtpServer
from users_app.models import Mail, MailKind, User

PAGES = ["http://testserver", "http://localhost:4200"]


@pytest.fixture(autouse=True)
def _a_queue_with_workers(db: None, memory_queue: MemoryQueue) -> None:
    memory_queue.workers = 2
    ReaperRound.objects.create()


@pytest.fixture
def bucket(s3_server: Ceph) -> str:
    return s3_server.make_bucket()


@pytest.fixture
def connection(s3_server: Ceph, bucket: str, settings: Any) -> S3Connection:
    return use(settings, s3_server, Buckets(bucket, bucket, bucket))


def use(settings: Any, server: Ceph, buckets: Buckets, **changes: Any) -> S3Connection:
    keys = {"access_key_id": server.access_key_id, "secret_access_key": server.secret_access_key}
    settings.S3_CONNECTION = S3Connection(
        buckets, server.region, server.url, timeout_s=5, attempts=1, **{**keys, **changes}
    )
    connection: S3Connection = settings.S3_CONNECTION
    return connection


def doctor() -> tuple[str, str]:
    """Returns the output, and the error message with which the command ends."""
    out = StringIO()
    try:
        call_command("doctor", stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def setup_bucket(*arguments: str) -> str:
    out = StringIO()
    call_command("setup_bucket", *arguments, stdout=out)
    return out.getvalue()


def wrong_lines(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("WRONG")]


# --- a folder --------------------------------------------------------------------------------------------------------


def test_on_a_healthy_machine_everything_is_fine() -> None:
    said, end = doctor()
    assert (wrong_lines(said), end) == ([], "")
    names = re.findall(r"^ok +([^:]+):", said, re.MULTILINE)
    assert names == [
        *("database", "redis", "workers", "reaper", "films", "ffmpeg", "sandbox", "work folder", "mail"),
        "media folder",
    ]


def test_missing_parts_are_reported_with_what_to_do(settings: Any, memory_queue: MemoryQueue) -> None:
    memory_queue.is_reachable = False
    settings.FFMPEG_BIN = "/nowhere/ffmpeg"
    settings.MEDIA_ROOT = Path("/nowhere")
    said, end = doctor()
    assert end == "4 things are wrong."
    for name, remedy in {
        "redis": "REDIS_URL",
        "workers": "rqworker",
        "ffmpeg": "FFMPEG_BIN",
        "media": "/nowhere",
    }.items():
        assert any(line.startswith(f"WRONG {name}") and remedy in line for line in wrong_lines(said)), said


def test_it_says_what_the_sandbox_denies_to_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.search(
        r"^ok +sandbox: closed off: files, network, processes, environment \(Landlock \d+, a filter", doctor()[0], re.M
    )
    monkeypatch.setattr(sandbox, "means_here", lambda: Means(0, has_filter=True))
    monkeypatch.setattr(checkup, "means_here", sandbox.means_here)
    (line,) = re.findall(r"^.*sandbox:.*$", doctor()[0], re.M)
    assert line.startswith("ok    sandbox: closed off: network, processes, environment (no Landlock")
    assert "not closed off: files: read a secret;" in line
    monkeypatch.setattr(run, "demand", Demand.OFF)
    assert "sandbox: off, as SANDBOX says" in doctor()[0]


def test_a_required_sandbox_that_is_missing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "demand", Demand.REQUIRED)
    assert not wrong_lines(doctor()[0])
    monkeypatch.setattr(sandbox, "means_here", lambda: Means(0, has_filter=True))
    assert any("sandbox" in line and "SANDBOX=required" in line for line in wrong_lines(doctor()[0]))


def test_a_work_folder_with_little_room_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "MIN_FREE_MB", 10**12)
    assert "make room" in wrong_lines(doctor()[0])[0]


def test_a_mail_server_that_does_not_answer_is_reported(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    (line,) = wrong_lines(doctor()[0])
    assert "does not take mails" in line
    assert "EMAIL_HOST" in line
    with started(SmtpServer()) as server:
        settings.EMAIL_PORT, settings.EMAIL_USE_TLS = server.port, False
        assert f"ok    mail: 127.0.0.1:{server.port} takes them" in doctor()[0]


def test_a_reaper_that_never_ran_is_reported(settings: Any) -> None:
    ReaperRound.objects.all().delete()
    (line,) = wrong_lines(doctor()[0])
    assert "start `manage.py reaper`" in line
    call_command("reaper", "--once")
    assert wrong_lines(doctor()[0]) == []


def test_a_reaper_that_has_stopped_is_reported(settings: Any) -> None:
    ReaperRound.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    (line,) = wrong_lines(doctor()[0])
    assert line.startswith("WRONG reaper: Its last round ended 3,600 s ago: start `manage.py reaper`")


def test_a_round_is_noted_even_if_a_chore_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("the disk is away")

    monkeypatch.setattr(tus, "sweep", fail)
    before = timezone.now()
    assert reap().failing == ["content_app.services.uploads.tus.sweep"]
    assert ReaperRound.objects.latest("ended_at").ended_at > before


def test_films_that_failed_are_counted_by_code(owner: User) -> None:
    assert "ok    films: none has failed" in doctor()[0]
    for code in ("not_a_video", "no_room", "not_a_video"):
        make_video(owner, state=State.ERROR, error_code=code)
    make_video(owner, state=State.ERROR, error_code="not_a_video", deleted_at=timezone.now())
    said, end = doctor()
    assert "ok    films: 3 failed (2 × not_a_video, 1 × no_room): the admin site says why" in said
    assert end == "", "a file that is no film is no fault of the platform"


def test_mails_that_could_not_be_sent_are_reported(db: None) -> None:
    Mail.objects.create(kind=MailKind.ADDRESS_TAKEN, to="a@example.com", given_up_at=timezone.now())
    assert "1 mail(s) could not be sent" in wrong_lines(doctor()[0])[0]


def test_a_user_pool_is_checked_as_a_sign_in_uses_it(settings: Any) -> None:
    with running_cognito() as server:
        pool = make_pool(server).settings
        settings.USER_POOL = pool
        said, end = doctor()
        assert (wrong_lines(said), end) == ([], "")
        assert f"ok    user pool: {pool.id}, 1 key" in said
        server.answers["InitiateAuth"] = [
            aws_error("NotAuthorizedException", "Unable to verify secret hash for client x")
        ]
        (line,) = wrong_lines(doctor()[0])
        assert "COGNITO_CLIENT_ID" in line
        assert "secret hash" in line
        settings.USER_POOL = replace(pool, jwks_url=f"http://127.0.0.1:{free_port()}/")
        (line,) = wrong_lines(doctor()[0])
        assert "COGNITO_JWKS_URL" in line


# --- a bucket --------------------------------------------------------------------------------------------------------


def test_a_bucket_that_is_set_up_passes(connection: S3Connection, s3_server: Ceph, bucket: str) -> None:
    setup_bucket()
    said, end = doctor()
    assert (wrong_lines(said), end) == ([], ""), said
    for proof in (
        "is reached: clocks agree",
        "keeps what is put",
        "signed ranges: 206",
        "refuses strangers",
        "in parts",
    ):
        assert proof in said
    for page in PAGES:
        assert f"may be used by {page}" in said
    assert not s3_server.client().list_objects_v2(Bucket=bucket).get("Contents")  # it cleans up after itself


def test_a_bucket_that_is_not_set_up_lacks_cors(connection: S3Connection) -> None:
    said, _ = doctor()
    assert len(wrong_lines(said)) == len(PAGES)
    assert all("setup_bucket" in line and "CORS" in line for line in wrong_lines(said))


def test_each_of_three_buckets_is_checked(s3_server: Ceph, settings: Any) -> None:
    buckets = Buckets(*(s3_server.make_bucket(name) for name in ("raw", "done", "pictures")))
    use(settings, s3_server, buckets)
    setup_bucket()
    said, end = doctor()
    assert end == "", said
    assert all(f"{name} takes uploads in parts" in said for name in buckets.names)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"access_key_id": "nobody"}, "set AWS_ACCESS_KEY_ID"),
        ({"secret_access_key": "wrong"}, "set AWS_SECRET_ACCESS_KEY"),
        ({"endpoint_url": "http://127.0.0.1:1"}, "cannot be reached"),
        ({"buckets": Buckets("nowhere", "nowhere", "nowhere")}, "There is no bucket nowhere"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    s3_server: Ceph, settings: Any, bucket: str, changes: dict[str, Any], sentence: str
) -> None:
    given = {"buckets": Buckets(bucket, bucket, bucket), "endpoint_url": s3_server.url, **changes}
    keys = {"access_key_id": s3_server.access_key_id, "secret_access_key": s3_server.secret_access_key}
    settings.S3_CONNECTION = S3Connection(region=s3_server.region, timeout_s=2, attempts=1, **{**keys, **given})
    (line,) = wrong_lines(doctor()[0])
    assert sentence in line
    with pytest.raises(CommandError, match=sentence):
        setup_bucket()


def test_public_objects_are_found(connection: S3Connection, s3_server: Ceph, bucket: str) -> None:
    setup_bucket()
    owner = s3_server.client()
    owner.delete_public_access_block(Bucket=bucket)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = {"Version": "2012-10-17", "Statement": [everybody]}
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    (line,) = wrong_lines(doctor()[0])
    assert "without a signature" in line


# --- setting up ------------------------------------------------------------------------------------------------------


def test_setting_up_twice_writes_once_and_leaves_other_rules(
    connection: S3Connection, s3_server: Ceph, bucket: str
) -> None:
    owner = s3_server.client()
    theirs = {"ID": "theirs", "AllowedOrigins": ["https://other.example"], "AllowedMethods": ["GET"]}
    owner.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [theirs]})
    for _ in range(2):
        setup_bucket()
    rules = owner.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert [rule["ID"] for rule in rules] == ["theirs", "videoflix-pages"]
    assert sorted(rules[1]["AllowedOrigins"]) == sorted(PAGES)
    assert {"ETag", "Content-Range"} <= set(rules[1]["ExposeHeaders"])
    lifecycle = owner.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert sum("AbortIncompleteMultipartUpload" in rule for rule in lifecycle) == 3
    assert [rule["Filter"]["Prefix"] for rule in lifecycle if "Expiration" in rule] == ["work/"]


def test_a_bucket_is_created_on_request(s3_server: Ceph, settings: Any) -> None:
    name = f"new-{s3_server.make_bucket()}"
    use(settings, s3_server, Buckets(name, name, name))
    with pytest.raises(CommandError, match="There is no bucket"):
        setup_bucket()
    assert f"{name}: made." in setup_bucket("--create")
    assert "made." not in setup_bucket("--create")


@pytest.fixture
def stranger(s3_server: Ceph, bucket: str) -> dict[str, str]:
    """Returns keys of a user who owns nothing."""
    name = f"platform-{bucket}"
    keys = {"access_key_id": f"key-{bucket}", "secret_access_key": f"secret-{bucket}"}
    s3_server.make_user(name, **keys)
    return {"name": name, **keys}


def test_with_the_least_policy_the_platform_can_work_and_do_nothing_else(
    connection: S3Connection, s3_server: Ceph, settings: Any, bucket: str, stranger: dict[str, str], tmp_path: Path
) -> None:
    name = stranger.pop("name")
    arn = f"arn:aws:iam:::user/{name}"
    assert f"{arn} may do what the platform needs" in setup_bucket("--principal", arn)
    granted = use(settings, s3_server, connection.buckets, **stranger)
    said, end = doctor()
    assert end == "", said
    with pytest.raises(CommandError, match="setup_bucket --print-policy"):
        setup_bucket()  # rights over the bucket itself are not among them
    client = S3Store(granted).client
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.put_object(Bucket=bucket, Key="elsewhere/x", Body=b"x")


def test_the_policy_is_printed_and_nothing_is_changed(connection: S3Connection, s3_server: Ceph, bucket: str) -> None:
    policy = json.loads(setup_bucket("--print-policy"))
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert "s3:PutObject" in actions
    assert not any("*" in action or "Acl" in action or "PutBucket" in action for action in actions)
    client = s3_server.client()
    with pytest.raises(client.exceptions.ClientError, match="NoSuchCORSConfiguration"):
        client.get_bucket_cors(Bucket=bucket)


def test_without_a_bucket_there_is_nothing_to_set_up() -> None:
    with pytest.raises(CommandError, match="USE_S3_MEDIA"):
        setup_bucket()
