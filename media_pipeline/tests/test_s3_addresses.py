"""Addresses that are signed at once are those that boto3 signs one by one."""

from urllib.parse import parse_qs, urlsplit

import pytest

from media_pipeline.buckets import Buckets, S3Connection
from media_pipeline.s3 import S3Store
from media_pipeline.s3_addresses import signed_urls

KEYS = ["videos/a/v1/init.m4s", "videos/a/v1/chunk-1.m4s", "videos/a/v1/720p/with space+ü.m4s"]


@pytest.mark.parametrize(
    ("endpoint", "token"), [("", ""), ("http://127.0.0.1:9000", ""), ("https://s3.example.com/path", "to/ke+n=")]
)
def test_they_are_the_same(endpoint: str, token: str) -> None:
    connection = S3Connection(
        Buckets("films", "films", "films"), "eu-central-1", endpoint,
        access_key_id="AKID", secret_access_key="secret/+", session_token=token,
    )  # fmt: skip
    store = S3Store(connection)
    dates: set[str] = set()
    while len(dates) != 1:  # a second may pass between the two
        one_by_one, at_once = [store.signed_url(key, 600) for key in KEYS], signed_urls(store, KEYS, 600)
        dates = {parse_qs(urlsplit(url).query)["X-Amz-Date"][0] for url in (*one_by_one, *at_once)}
    for expected, url in zip(map(urlsplit, one_by_one), map(urlsplit, at_once), strict=True):
        assert (url.scheme, url.netloc, url.path) == (expected.scheme, expected.netloc, expected.path)
        assert parse_qs(url.query) == parse_qs(expected.query)


def test_none_are_none() -> None:
    connection = S3Connection(Buckets("a", "a", "a"), "us-east-1", access_key_id="x", secret_access_key="y")
    assert signed_urls(S3Store(connection), [], 60) == []
