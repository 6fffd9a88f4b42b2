"""Parses the notifications about new objects that S3 sends by SQS; pure."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class BadMessage(Exception):
    """The message is not a notification of S3."""


@dataclass(frozen=True)
class Arrived:
    """An object that S3 has reported."""

    bucket: str
    key: str


def parse_message(body: str) -> list[Arrived]:
    """Returns the objects that a message reports. Raises BadMessage.

    The test event, which S3 sends when a notification is set up, reports none.
    """
    document = read_object(body)
    # A message that comes by way of SNS contains the notification as a text.
    if isinstance(document.get("Message"), str) and "Records" not in document:
        document = read_object(document["Message"])
    if document.get("Event") == "s3:TestEvent":
        return []
    records = document.get("Records")
    if not isinstance(records, list):
        raise BadMessage("it has no records")
    return [parse_record(record) for record in records if is_arrival(record)]


def read_object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BadMessage("it is not JSON") from error
    if not isinstance(document, dict):
        raise BadMessage("it is not an object of JSON")
    return document


def is_arrival(record: Any) -> bool:
    name = record.get("eventName") if isinstance(record, dict) else None
    if not isinstance(name, str):
        raise BadMessage("a record has no event")
    return name.removeprefix("s3:").startswith("ObjectCreated:")


def parse_record(record: dict[str, Any]) -> Arrived:
    try:
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
    except (KeyError, TypeError) as error:
        raise BadMessage("a record names no object") from error
    if not (isinstance(bucket, str) and isinstance(key, str)):
        raise BadMessage("a record names no object")
    key = unquote_plus(key)  # S3 encodes keys as forms do
    if "\0" in key or not is_text(key):
        raise BadMessage("a key is not text")
    return Arrived(bucket, key)


def is_text(value: str) -> bool:
    """False when the value holds half of a surrogate pair, which JSON may contain and no database takes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
