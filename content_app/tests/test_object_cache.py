"""The cache is limited by the bytes of its objects, not by their number."""

import pytest

from content_app.services.playback import delivery
from content_app.services.storage.object_cache import ObjectCache
from media_pipeline.errors import StorageUnavailable


class Bucket:
    def __init__(self, **objects: int) -> None:
        self.objects = objects
        self.asked: list[str] = []

    def read(self, key: str) -> bytes:
        self.asked.append(key)
        return bytes(self.objects[key])


def test_an_object_is_read_once() -> None:
    cache, bucket = ObjectCache(max_bytes=10), Bucket(a=10)
    assert cache.get("a", bucket.read) == cache.get("a", bucket.read) == bytes(10)
    assert bucket.asked == ["a"]


def test_the_object_that_was_used_longest_ago_is_dropped() -> None:
    cache, bucket = ObjectCache(max_bytes=10), Bucket(a=4, b=4, c=4)
    for key in "abaca":
        cache.get(key, bucket.read)
    assert bucket.asked == ["a", "b", "c"]
    assert (list(cache.values), cache.size_bytes) == (["c", "a"], 8)


def test_many_large_objects_never_take_more_than_the_limit() -> None:
    cache, bucket = ObjectCache(max_bytes=10), Bucket(**{f"n{number}": number % 13 for number in range(100)})
    for key in bucket.objects:
        cache.get(key, bucket.read)
        assert cache.size_bytes == sum(map(len, cache.values.values())) <= 10


def test_an_object_above_the_limit_is_returned_and_not_kept() -> None:
    cache, bucket = ObjectCache(max_bytes=10), Bucket(a=11)
    assert len(cache.get("a", bucket.read)) == 11
    assert (cache.values, cache.size_bytes) == ({}, 0)


def test_a_read_that_fails_leaves_nothing() -> None:
    cache, bucket = ObjectCache(max_bytes=10), Bucket(a=3)

    def fail(_: str) -> bytes:
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        cache.get("a", fail)
    assert cache.get("a", bucket.read) == bytes(3)


def test_published_texts_of_a_bucket_are_kept_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Manifests of the longest films have tens of megabytes, and a hundred of them would be gigabytes."""
    bucket, cache = Bucket(a=6, b=6, c=3), ObjectCache(max_bytes=10)
    bucket.read_bytes = bucket.read  # type: ignore[attr-defined]  # as a store has it
    monkeypatch.setattr(delivery, "published", cache)
    monkeypatch.setattr(delivery, "bucket_store", lambda: bucket)
    monkeypatch.setattr(delivery, "get_store", lambda: bucket)
    for key in "abcbc":
        delivery.published_text(key)
    assert bucket.asked == ["a", "b", "c"]
    assert cache.size_bytes == 9
