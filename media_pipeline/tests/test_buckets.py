"""The bucket and the headers of an object, and the origins of signed addresses."""

import pytest

from media_pipeline.storage.buckets import Buckets, S3Connection, cache_control

THREE = Buckets("originals", "processed", "pictures")
TWO = Buckets("originals", "published", "published")
ONE = Buckets("films", "films", "films")
FOR_A_YEAR = "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("buckets", "names"),
    [(THREE, ("originals", "processed", "pictures")), (TWO, ("originals", "published")), (ONE, ("films",))],
)
def test_each_bucket_is_named_once(buckets: Buckets, names: tuple[str, ...]) -> None:
    assert buckets.names == names


@pytest.mark.parametrize(
    ("key", "bucket"),
    [
        ("originals/some-id.mkv", "originals"),
        ("originals/some-id.jpg", "originals"),
        ("videos/some-id/v1/720p.mp4", "processed"),
        ("videos/some-id/v1/master.m3u8", "processed"),
        ("videos/some-id/v1/en.vtt", "processed"),
        ("videos/some-id/v1/poster.jpg", "pictures"),
        ("videos/some-id/v1/storyboard-0.jpg", "pictures"),
        ("work/some-id/part.mp4", "processed"),
        ("originals-of-others/x.mp4", "processed"),
    ],
)
def test_an_object_lies_in_the_bucket_of_its_kind(key: str, bucket: str) -> None:
    assert THREE.bucket_of(key) == bucket
    assert ONE.bucket_of(key) == "films"


@pytest.mark.parametrize(
    ("prefix", "below"),
    [
        ("originals", ("originals", "processed")),
        ("originals/some-id.mkv", ("originals", "processed")),
        ("videos/some-id", ("processed", "pictures")),
        ("videos/some-id/v1/poster.jpg", ("processed", "pictures")),
        ("work", ("processed", "pictures")),
    ],
)
def test_a_folder_may_lie_in_several_buckets(prefix: str, below: tuple[str, ...]) -> None:
    assert THREE.below(prefix) == below
    assert ONE.below(prefix) == ("films",)


@pytest.mark.parametrize("key", ["originals/some-id.mkv", "videos/some-id/v1/720p.mp4", "videos/some-id/v1/poster.jpg"])
@pytest.mark.parametrize("buckets", [THREE, TWO, ONE])
def test_the_bucket_of_an_object_is_among_those_searched_for_it(buckets: Buckets, key: str) -> None:
    assert buckets.bucket_of(key) in buckets.below(key)


@pytest.mark.parametrize(
    ("buckets", "region", "origins"),
    [
        (ONE, "us-east-1", ("https://films.s3.amazonaws.com",)),
        (ONE, "eu-central-1", ("https://films.s3.eu-central-1.amazonaws.com",)),
        (ONE, "cn-north-1", ("https://films.s3.cn-north-1.amazonaws.com.cn",)),
        (Buckets("a", "my.films", "my.films"), "eu-central-1", ("https://s3.eu-central-1.amazonaws.com",)),
        (TWO, "us-east-1", ("https://published.s3.amazonaws.com",)),
        (THREE, "us-east-1", ("https://processed.s3.amazonaws.com", "https://pictures.s3.amazonaws.com")),
    ],
)
def test_amazon_gives_each_bucket_an_origin(buckets: Buckets, region: str, origins: tuple[str, ...]) -> None:
    assert S3Connection(buckets, region).origins == origins


@pytest.mark.parametrize(
    ("public", "origins"), [("", ("http://s3:9000",)), ("https://s3.example.com", ("https://s3.example.com",))]
)
def test_other_servers_have_one_origin_which_may_be_another_for_browsers(public: str, origins: tuple[str, ...]) -> None:
    connection = S3Connection(THREE, "us-east-1", endpoint_url="http://s3:9000", public_endpoint_url=public)

    assert connection.origins == origins


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("videos/some-id/v1/720p.mp4", FOR_A_YEAR),
        ("videos/some-id/v1/poster.jpg", FOR_A_YEAR),
        ("originals/some-id.mkv", "private, no-store"),
        ("work/some-id/part.mp4", "private, no-store"),
    ],
)
def test_only_published_objects_may_be_cached(key: str, kept: str) -> None:
    assert cache_control(key) == kept


def test_secrets_are_not_shown() -> None:
    connection = S3Connection(ONE, "us-east-1", access_key_id="KEY", secret_access_key="hidden", session_token="hidden")

    assert "KEY" in repr(connection)
    assert "hidden" not in repr(connection)
