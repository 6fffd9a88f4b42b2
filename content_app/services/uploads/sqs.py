"""Reads the messages of an SQS queue; the only module that knows SQS."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from media_pipeline.storage.buckets import S3Connection

MAX_POLL_S = 20
MAX_BATCH = 10  # messages that SQS gives at once


class QueueUnavailable(Exception):
    """The message says why, and what to do."""


@dataclass(frozen=True)
class Message:
    body: str
    receipt: str
    times_received: int


class MessageQueue:
    """The queue at this address (SQS_QUEUE_URL), read with the keys of the storage or the role of the machine."""

    def __init__(self, url: str, connection: S3Connection) -> None:
        self.url = url
        parts = urlsplit(url)
        keys = {
            "aws_access_key_id": connection.access_key_id or None,
            "aws_secret_access_key": connection.secret_access_key or None,
            "aws_session_token": connection.session_token or None,
        }
        config = Config(connect_timeout=10, read_timeout=MAX_POLL_S + 10, retries={"mode": "standard"})
        self.client: Any = boto3.client(
            "sqs",
            endpoint_url=f"{parts.scheme}://{parts.netloc}",
            region_name=connection.region,
            config=config,
            **keys,
        )

    def receive(self, wait_s: int = MAX_POLL_S) -> list[Message]:
        """Returns the messages that are there or arrive within `wait_s`. Raises QueueUnavailable."""
        with queue_faults(self.url):
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=MAX_BATCH,
                WaitTimeSeconds=wait_s,
                AttributeNames=["ApproximateReceiveCount"],
            )
        return [
            Message(
                body=str(message.get("Body", "")),
                receipt=str(message["ReceiptHandle"]),
                times_received=int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
            )
            for message in answer.get("Messages", ())
        ]

    def delete(self, message: Message) -> None:
        with queue_faults(self.url):
            self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt)

    def postpone(self, message: Message, seconds: int) -> None:
        """Lets SQS give the message out again after `seconds`, as often as the queue's redrive policy allows."""
        with queue_faults(self.url):
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )

    def has_dead_letter_queue(self) -> bool:
        with queue_faults(self.url):
            answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}"))
        return bool(policy.get("deadLetterTargetArn"))


@contextmanager
def queue_faults(url: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        reason = " ".join(str(error).split())
        raise QueueUnavailable(
            f"The queue {url} cannot be used ({reason}): check SQS_QUEUE_URL and the keys."
        ) from error
