"""Notifications of S3 about new objects, as they come in messages of SQS; pure."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class BadMessage(Exception):
    """Not a notification of S3."""


@dataclass(frozen=True)
class Arrived:
    """An object that is there now."""

    bucket: str
    key: str


def parse_message(body: str) -> list[Arrived]:
    """The objects that a message tells of: none in the test event that S3 sends when it is set up.

    A message that came by way of SNS has the notification as a text in it. Raises BadMessage.
    """
    said = read_object(body)
    if isinstance(said.get("Message"), str) and "Records" not in said:
        said = read_object(said["Message"])
    if said.get("Event") == "s3:TestEvent":
        return []
    records = said.get("Records")
    if not isinstance(records, list):
        raise BadMessage("it has no records")
    return [parse_record(record) for record in records if is_arrival(record)]


def read_object(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError as error:
        raise BadMessage("it is not JSON") from error
    if not isinstance(said, dict):
        raise BadMessage("it is not an object of JSON")
    return said


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
        raise BadMessage("a key is no text")
    return Arrived(bucket, key)


def is_text(value: str) -> bool:
    """JSON may have halves of characters, which no database takes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
