"""`manage.py consume_uploads` on queues and buckets of a server that speaks for SQS and S3 alike."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from moto.server import ThreadedMotoServer

from content_app.models import DirectUpload
from content_app.services.uploads import direct_uploads
from content_app.services.uploads.s3_events import Arrived, BadMessage, parse_message
from content_app.tests.conftest import assert_one_whole
from content_app.tests.factories import make_video
from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage.buckets import Buckets, S3Connection
from users_app.models import User

REGION = "us-east-1"
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}


@dataclass
class Cloud:
    """A bucket with event notifications to a queue that has a dead-letter queue."""

    url: str
    bucket: str
    queue_url: str
    dead_url: str

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **KEYS)

    def put(self, key: str) -> None:
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=b"a film")

    def put_in_parts(self, key: str) -> None:
        s3, named = self.client("s3"), {"Bucket": self.bucket, "Key": key}
        upload = s3.create_multipart_upload(**named)["UploadId"]
        etag = s3.upload_part(**named, UploadId=upload, PartNumber=1, Body=b"a film")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload=parts)

    def send(self, body: str) -> None:
        self.client("sqs").send_message(QueueUrl=self.queue_url, MessageBody=body)

    def left(self, url: str = "") -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        said = self.client("sqs").get_queue_attributes(QueueUrl=url or self.queue_url, AttributeNames=names)
        return sum(int(said["Attributes"][name]) for name in names)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def cloud(moto: str, request: pytest.FixtureRequest, settings: Any) -> Cloud:
    name = f"t{abs(hash(request.node.nodeid))}"
    sqs = boto3.client("sqs", endpoint_url=moto, region_name=REGION, **KEYS)
    dead_url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    attributes = {"QueueUrl": dead_url, "AttributeNames": ["QueueArn"]}
    dead = sqs.get_queue_attributes(**attributes)["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    made = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive})
    cloud = Cloud(moto, name, made["QueueUrl"], dead_url)
    arn = sqs.get_queue_attributes(QueueUrl=cloud.queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.client("s3").create_bucket(Bucket=name)
    told = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    cloud.client("s3").put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=told)
    settings.S3_CONNECTION = S3Connection(
        Buckets(name, name, name), REGION, moto, access_key_id="a", secret_access_key="b", attempts=1, timeout_s=5
    )
    settings.SQS_QUEUE_URL = cloud.queue_url
    settings.SQS_WAIT_SECONDS = 0
    return cloud


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is one transaction, on a connection that must stay."""
    monkeypatch.setattr("content_app.management.commands.consume_uploads.close_old_connections", lambda: None)


@pytest.fixture
def to_check(to_check: list[int], commits_at_once: None) -> list[int]:
    return to_check


@pytest.fixture
def upload(owner: User) -> DirectUpload:
    upload = direct_uploads.announce(owner=owner, name="my film ü+&.mp4")
    DirectUpload.objects.update(video=make_video(owner))
    return upload


def consume() -> None:
    call_command("consume_uploads", "--once")


def test_an_upload_that_arrives_is_checked_at_once(cloud: Cloud, upload: DirectUpload, to_check: list[int]) -> None:
    cloud.put(upload.key)
    consume()
    assert to_check == [upload.pk]
    assert cloud.left() == 0  # the test event has been removed as well


def test_keys_come_encoded(cloud: Cloud, upload: DirectUpload, to_check: list[int]) -> None:
    DirectUpload.objects.update(key="originals/a folder/ü+&%20 film.mp4")
    cloud.put("originals/a folder/ü+&%20 film.mp4")
    consume()
    assert to_check == [upload.pk]


def test_an_upload_in_parts_is_reported_twice_and_checked_once(
    cloud: Cloud, upload: DirectUpload, to_check: list[int]
) -> None:
    cloud.put_in_parts(upload.key)
    cloud.put(upload.key)
    assert cloud.left() >= 3
    consume()
    assert to_check == [upload.pk]


@pytest.mark.django_db(transaction=True)
def test_several_at_once_check_each_upload_once(
    cloud: Cloud, owner: User, to_check: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)  # only the main thread may
    known = [direct_uploads.announce(owner=owner, name="a.mp4") for _ in range(20)]
    DirectUpload.objects.update(video=make_video(owner))
    for one in known:
        cloud.put_in_parts(one.key)
    threads = [threading.Thread(target=consume_and_close) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(to_check) == sorted(one.pk for one in known)


def consume_and_close() -> None:
    try:
        consume()
    finally:
        connections.close_all()


@pytest.mark.parametrize("body", ["", "not json", "[]", "{}", '{"Records": 5}', '{"Records": [{"eventName": 1}]}'])
def test_a_message_that_is_not_a_notification_goes_to_the_dead_letter_queue(
    cloud: Cloud, upload: DirectUpload, to_check: list[int], body: str
) -> None:
    cloud.send(body or " ")
    cloud.put(upload.key)
    for _ in range(4):
        consume()
    assert (cloud.left(), cloud.left(cloud.dead_url)) == (0, 1)
    assert to_check == [upload.pk]  # it does not delay the other messages


def test_a_message_that_cannot_be_handled_now_is_received_again(
    cloud: Cloud, upload: DirectUpload, to_check: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.put(upload.key)
    monkeypatch.setattr("content_app.management.commands.consume_uploads.FIRST_PAUSE_S", 1)
    with monkeypatch.context() as broken:
        broken.setattr(direct_uploads, "look_for", fail)
        consume()
    assert (to_check, cloud.left()) == ([], 1)
    time.sleep(1.1)
    consume()
    assert (to_check, cloud.left()) == ([upload.pk], 0)


def fail(key: str) -> str:
    raise StorageUnavailable


def test_other_objects_and_other_buckets_are_ignored(cloud: Cloud, upload: DirectUpload, to_check: list[int]) -> None:
    cloud.put("videos/x/v1/720p.mp4")
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "theirs"}, "object": {"key": upload.key}}}
    cloud.send(json.dumps({"Records": [record]}))
    consume()
    assert (to_check, cloud.left()) == ([], 0)


def test_a_missing_queue_is_reported_in_one_sentence(cloud: Cloud, settings: Any) -> None:
    settings.SQS_QUEUE_URL = f"{cloud.url}/123456789012/nowhere"
    with pytest.raises(CommandError, match="check SQS_QUEUE_URL"):
        consume()
    settings.SQS_QUEUE_URL = ""
    with pytest.raises(CommandError, match="USE_S3_MEDIA=1 and SQS_QUEUE_URL"):
        consume()


# --- messages --------------------------------------------------------------------------------------------------------


def message(name: str = "ObjectCreated:Put", key: str = "originals%2Fa+b.mp4") -> dict[str, Any]:
    return {"Records": [{"eventName": name, "s3": {"bucket": {"name": "films"}, "object": {"key": key}}}]}


@pytest.mark.parametrize(
    ("said", "arrived"),
    [
        (message(), [Arrived("films", "originals/a b.mp4")]),
        (message("s3:ObjectCreated:CompleteMultipartUpload"), [Arrived("films", "originals/a b.mp4")]),
        ({"Type": "Notification", "Message": json.dumps(message())}, [Arrived("films", "originals/a b.mp4")]),
        (message("ObjectRemoved:Delete"), []),
        ({"Event": "s3:TestEvent", "Bucket": "films"}, []),
        ({"Records": []}, []),
        ({"Records": [*message()["Records"], *message(key="x")["Records"]]},
         [Arrived("films", "originals/a b.mp4"), Arrived("films", "x")]),
    ],
)  # fmt: skip
def test_notifications_are_read(said: dict[str, Any], arrived: list[Arrived]) -> None:
    assert parse_message(json.dumps(said)) == arrived


@pytest.mark.parametrize(
    "body",
    ["", "x", "5", "null", "[]", "{}", '{"Records": {}}', '{"Records": [null]}', '{"Records": [{}]}', '{"Message": ""}',
     '{"Records": [{"eventName": "ObjectCreated:Put"}]}', '{"Records": [{"eventName": "ObjectCreated:Put", "s3": []}]}',
     '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": 1}, "object": {"key": 2}}}]}',
     json.dumps(message(key="%00")),
     json.dumps(message(key="\ud800"))],
)  # fmt: skip
def test_other_messages_are_refused(body: str) -> None:
    with pytest.raises(BadMessage):
        parse_message(body)


@pytest.mark.django_db(transaction=True)
def test_the_check_is_queued_once_a_worker_can_see_the_arrival(
    cloud: Cloud, upload: DirectUpload, checks_seen: list[Any]
) -> None:
    cloud.put(upload.key)
    consume()
    assert_one_whole(checks_seen, "Big Buck Bunny")
