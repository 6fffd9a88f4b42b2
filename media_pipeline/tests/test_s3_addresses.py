"""Addresses that are signed together equal those that boto3 signs one by one."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage.buckets import Buckets, S3Connection
from media_pipeline.storage.s3 import S3Store
from media_pipeline.storage.s3_addresses import signed_urls

KEYS = ["videos/a/v1/init.m4s", "videos/a/v1/chunk-1.m4s", "videos/a/v1/720p/with space+ü.m4s"]


@pytest.mark.parametrize(
    ("endpoint", "token"), [("", ""), ("http://127.0.0.1:9000", ""), ("https://s3.example.com/path", "to/ke+n=")]
)
def test_both_ways_of_signing_give_the_same_addresses(endpoint: str, token: str) -> None:
    connection = S3Connection(
        Buckets("films", "films", "films"), "eu-central-1", endpoint,
        access_key_id="AKID", secret_access_key="secret/+", session_token=token,
    )  # fmt: skip
    store = S3Store(connection)
    require_the_same(store, lambda: signed_urls(store, KEYS, 600))


def require_the_same(store: S3Store, sign: Callable[[], list[str]]) -> None:
    dates: set[str] = set()
    while len(dates) != 1:  # again if the second changed between the two
        at_once, one_by_one = sign(), [store.signed_url(key, 600) for key in KEYS]
        dates = {parse_qs(urlsplit(url).query)["X-Amz-Date"][0] for url in (*one_by_one, *at_once)}
    for expected, url in zip(map(urlsplit, one_by_one), map(urlsplit, at_once), strict=True):
        assert (url.scheme, url.netloc, url.path) == (expected.scheme, expected.netloc, expected.path)
        assert parse_qs(url.query) == parse_qs(expected.query)


def test_credentials_that_are_renewed_while_the_first_is_signed_sign_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = S3Connection(
        Buckets("films", "films", "films"), "eu-central-1",
        access_key_id="AKID", secret_access_key="old", session_token="old",
    )  # fmt: skip
    store = S3Store(connection)
    credentials, sign_one = store.session.get_credentials(), store.signed_url
    signed: list[str] = []

    def sign_and_renew(key: str, lifetime_s: int) -> str:
        signed.append(sign_one(key, lifetime_s))
        credentials.access_key, credentials.secret_key, credentials.token = "NEW", "new", "new"
        return signed[-1]

    def sign_all() -> list[str]:
        signed.clear()
        credentials.access_key, credentials.secret_key, credentials.token = "AKID", "old", "old"
        with monkeypatch.context() as patched:
            patched.setattr(store, "signed_url", sign_and_renew)
            return signed_urls(store, KEYS, 600)

    require_the_same(store, sign_all)
    assert len(signed) == 2


def test_without_credentials_storage_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = S3Connection(Buckets("a", "a", "a"), "us-east-1", access_key_id="x", secret_access_key="y")
    store = S3Store(connection)
    monkeypatch.setattr(store.session, "get_credentials", lambda: None)
    monkeypatch.setattr(store.signer._request_signer, "_credentials", None)
    with pytest.raises(StorageUnavailable):
        signed_urls(store, KEYS, 600)


def test_no_keys_give_no_addresses() -> None:
    connection = S3Connection(Buckets("a", "a", "a"), "us-east-1", access_key_id="x", secret_access_key="y")
    assert signed_urls(S3Store(connection), [], 60) == []
