"""Names and keys of a version's files."""

import random

import pytest

from media_pipeline import layout

VERSION_FILES = [
    "120p.mp4", "120p.init.mp4", "120p.m3u8", "iframes_120p.m3u8", "720p.mp4", "720p.init.mp4", "720p.m3u8",
    "iframes_720p.m3u8", "audio.init.mp4", "audio.m3u8", "poster.jpg", "master.m3u8",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (layout.rendition_file("720p"), "720p.mp4"),
        (layout.init_file("720p"), "720p.init.mp4"),
        (layout.playlist_file("720p"), "720p.m3u8"),
        (layout.iframes_file("720p"), "iframes_720p.m3u8"),
        (layout.poster_file(1), "poster.jpg"),
        (layout.poster_file(2), "poster_2.jpg"),
        (layout.small_poster_file("poster.jpg"), "poster_small.jpg"),
        (layout.small_poster_file("poster_2.jpg"), "poster_2_small.jpg"),
        (layout.version_prefix("some-id", "v1"), "videos/some-id/v1"),
        (layout.video_prefix("some-id"), "videos/some-id"),
        (layout.originals_prefix("some-id"), "originals/some-id"),
    ],
)
def test_players_and_the_media_server_know_all_names(name: str, expected: str) -> None:
    assert name == expected


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl"),
        ("720p.init.mp4", "video/mp4"),
        ("poster.jpg", "image/jpeg"),
        ("en.vtt", "text/vtt"),
    ],
)
def test_every_file_has_a_content_type(name: str, content_type: str) -> None:
    assert layout.content_type(name) == content_type


def test_media_go_before_the_playlists_that_name_them_and_the_master_goes_last() -> None:
    shuffled = random.Random(3).sample(VERSION_FILES, len(VERSION_FILES))  # noqa: S311 - an order, not a secret
    media, playlists, master = layout.publishing_steps(shuffled)

    assert sorted([*media, *playlists, *master]) == sorted(VERSION_FILES)
    assert master == ["master.m3u8"]
    assert not any(name.endswith(".m3u8") for name in media)
    assert all(name.endswith(".m3u8") for name in playlists)
