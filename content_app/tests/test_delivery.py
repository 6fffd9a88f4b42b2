"""How a player gets media: grants, playlists, qualities, captions, storyboard, posters."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework.test import APIClient

from content_app.services.playback import delivery, grants
from content_app.states import Visibility
from content_app.tests.factories import make_caption, make_playable, make_rendition, make_video, store_objects
from media_pipeline.errors import StorageUnavailable
from media_pipeline.packaging import playlists
from media_pipeline.storage.store import LocalStore
from users_app.models import User

SignIn = Callable[[User], APIClient]
PREFIX = "videos/5f6c3f1e-0000-4000-8000-000000000001/v1"
NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, NOW)


def set_clock(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    monkeypatch.setattr(grants, "time", SimpleNamespace(time=lambda: now))


def refusal(grant: str, prefix: str = PREFIX) -> str:
    with pytest.raises(grants.GrantRefused) as caught:
        grants.verify(grant, prefix)
    return caught.value.code


# --- grants ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime_s", [60, 3600, 21_600])
@pytest.mark.parametrize("now", [NOW, NOW + 1, NOW + 599.9, NOW + 3599])
def test_a_grant_never_outlives_its_lifetime_and_lasts_most_of_it(lifetime_s: int, now: float) -> None:
    left = grants.grant_end(now=now, lifetime_s=lifetime_s) - now
    assert lifetime_s * 5 / 6 <= left <= lifetime_s


def test_a_reload_gives_the_same_address(monkeypatch: pytest.MonkeyPatch) -> None:
    first = grants.sign(PREFIX)
    set_clock(monkeypatch, NOW + 60)
    assert grants.sign(PREFIX) == first


def test_a_grant_is_valid_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    grant = grants.sign(PREFIX)
    end = grants.verify(grant, PREFIX)
    set_clock(monkeypatch, end - 1)
    assert grants.verify(grant, PREFIX) == end
    set_clock(monkeypatch, end)
    assert refusal(grant) == "grant_expired"


def test_a_grant_is_for_one_version_of_one_video() -> None:
    grant = grants.sign(PREFIX)
    others = (PREFIX.replace("v1", "v2"), PREFIX.replace("0001", "0002"), f"{PREFIX}/", "videos", "")
    assert {refusal(grant, other) for other in others} == {"bad_grant"}


def test_a_grant_of_a_file_covers_only_that_file_and_no_version() -> None:
    key = f"{PREFIX}/poster.jpg"
    grant = grants.sign_file(key)
    assert grants.verify_file(grant, key) > NOW
    for other in (PREFIX, f"{PREFIX}/", f"{PREFIX}/720p.mp4", f"{key}.jpg", ""):
        with pytest.raises(grants.GrantRefused):
            grants.verify_file(grant, other)
    # Not even when the covered text is the same.
    assert refusal(grant, key) == "bad_grant"
    with pytest.raises(grants.GrantRefused):
        grants.verify_file(grants.sign(key), key)


def test_a_changed_grant_is_refused() -> None:
    end, _, signature = grants.sign(PREFIX).partition(".")
    later = format(int(end, 36) + 1, "d")
    changed = [f"{later}.{signature}", f"{end}.{signature[:-1]}", f"{end}.{'A' * 43}", f"0{end}.{signature}"]
    changed += [f"{end}.{signature}=", end, "", ".", f"{end}.ü", f".{signature}"]
    assert {refusal(grant) for grant in changed} == {"bad_grant"}


def test_another_secret_makes_other_grants(settings: Any) -> None:
    grant = grants.sign(PREFIX)
    settings.SECRET_KEY = "another-secret-of-sufficient-length-0123456789"
    assert refusal(grant) == "bad_grant"


def test_rotating_the_secret_stops_no_film_while_the_former_one_is_a_fallback(settings: Any) -> None:
    key = f"{PREFIX}/poster.jpg"
    grant, of_file, former = grants.sign(PREFIX), grants.sign_file(key), settings.SECRET_KEY
    settings.SECRET_KEY = "another-secret-of-sufficient-length-0123456789"
    settings.SECRET_KEY_FALLBACKS = ["a-secret-that-signed-nothing-0123456789abcdef", former]
    assert grants.verify(grant, PREFIX) == grants.verify_file(of_file, key) > NOW
    # New grants hold after the former secret is removed, and grants that it signed do not.
    renewed = grants.sign(PREFIX)
    settings.SECRET_KEY_FALLBACKS = []
    assert grants.verify(renewed, PREFIX) > NOW
    assert refusal(grant) == "bad_grant"


# --- playlists -------------------------------------------------------------------------------------------------------


def test_every_uri_of_a_playlist_is_put_in_its_folder() -> None:
    playlist = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME="a",URI="audio.m3u8"\n\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p.m3u8\n'
    )
    assert playlists.in_folder(playlist, "/media/g/f") == (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME="a",URI="/media/g/f/audio.m3u8"\n\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=1\n/media/g/f/720p.m3u8\n"
    )


def test_the_master_playlist_is_signed_and_never_stored(owner: User, viewer: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    store_objects(video)
    response = as_user(viewer).get(
        f"/api/v1/stream/{video.public_id}/master.m3u8", headers={"Accept": "application/vnd.apple.mpegurl"}
    )
    folder = f"/media/{grants.sign(video.key_prefix)}/{video.key_prefix}"
    assert response.status_code == 200
    assert response["Content-Type"] == "application/vnd.apple.mpegurl"
    assert response["Cache-Control"] == "private, no-store"
    lines = response.content.decode().splitlines()
    assert f"{folder}/360p.m3u8" in lines
    assert lines[3].endswith(f'URI="{folder}/audio.m3u8"')
    assert lines[6].endswith(f'URI="{folder}/iframes_360p.m3u8"')


MANIFEST = b"""<MPD><Period id="0"><SegmentList><Initialization sourceURL="init.m4s"/>
<SegmentURL media="1.m4s"/></SegmentList></Period></MPD>
"""


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_manifest_names_the_signed_folder(owner: User, viewer: User, as_user: SignIn, ending: str) -> None:
    video = make_playable(owner, has_manifest=True)
    store_objects(video, manifest_mpd=MANIFEST)
    client = as_user(viewer)
    address = client.get(f"/content/{video.pk}/").json()["dash_url"]
    assert address == f"http://testserver/api/v1/stream/{video.public_id}/manifest.mpd"
    response = client.get(address + ending, headers={"Accept": "application/dash+xml"})
    assert (response.status_code, response["Content-Type"]) == (200, "application/dash+xml")
    assert response["Cache-Control"] == "private, no-store"
    folder = f"/media/{grants.sign(video.key_prefix)}/{video.key_prefix}"
    assert f'<BaseURL>{folder}/</BaseURL>\n<Period id="0">' in response.content.decode()


def test_a_film_without_a_manifest_says_so(owner: User, as_user: SignIn) -> None:
    response = as_user(owner).get(f"/api/v1/stream/{make_playable(owner).pk}/manifest.mpd")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_manifest_of_many_segments_is_sent_compressed(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, has_manifest=True)
    store_objects(video, manifest_mpd=MANIFEST.replace(b"<SegmentURL", b'<SegmentURL media="x.m4s"/><SegmentURL' * 9))
    response = as_user(owner).get(
        f"/api/v1/stream/{video.pk}/manifest.mpd", headers={"Accept-Encoding": "gzip, deflate"}
    )
    assert response["Content-Encoding"] == "gzip"


def test_a_playlist_that_the_storage_lost_is_a_503(owner: User, as_user: SignIn) -> None:
    response = as_user(owner).get(f"/api/v1/stream/{make_playable(owner).pk}/master.m3u8")
    assert (response.status_code, response.json()["code"]) == (503, "source_missing")


@pytest.mark.parametrize(
    "route",
    [
        *("/content/video-url/{}/", "/api/v1/stream/{}/master.m3u8", "/api/v1/stream/{}/720p.mp4"),
        "/api/v1/stream/{}/manifest.mpd",
        *("/api/v1/stream/{}/storyboard.vtt", "/api/v1/videos/{}/captions/de/"),
    ],
)
def test_media_need_access_and_a_published_version(route: str, owner: User, viewer: User, as_user: SignIn) -> None:
    paid = make_playable(owner, is_paid=True, price=3)
    refused = as_user(viewer).get(route.format(paid.pk))
    assert (refused.status_code, refused.json()["code"]) == (403, "no_access")
    early = as_user(owner).get(route.format(make_video(owner).pk))
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")


# --- qualities -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("720p", "720p"),
        ("360p", "360p"),
        ("1080p", "720p"),
        ("719p", "360p"),
        ("480p", "360p"),
        ("144p", "120p"),
        ("99999p", "720p"),
        ("1p", "120p"),
        (None, "720p"),
    ],
)
def test_a_missing_quality_gives_the_best_below_it_else_the_lowest(
    asked: str | None, given: str, owner: User, viewer: User, as_user: SignIn
) -> None:
    video = make_playable(owner, rungs=("720p", "120p", "360p"))
    query = {"quality": asked} if asked else {}
    url = as_user(viewer).get(f"/content/video-url/{video.pk}/", query).json()["url"]
    key = f"{video.key_prefix}/{given}.mp4"
    assert url == f"http://testserver/media/file/{grants.sign_file(key)}/{key}"
    if asked:
        redirect = as_user(viewer).get(f"/api/v1/stream/{video.public_id}/{asked}.mp4")
        assert redirect.status_code == 302
        assert url.endswith(redirect["Location"])


@pytest.mark.parametrize(
    "quality", ["", "720", "p", "-720p", "720P", "999999p", "1e3p", "7 20p", "720p\0", "best", "٧p"]
)
def test_an_invalid_quality_is_refused(quality: str, owner: User, as_user: SignIn) -> None:
    response = as_user(owner).get(f"/content/video-url/{make_playable(owner).pk}/", {"quality": quality})
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_a_small_pictures_only_rung_is_found_by_its_name(owner: User) -> None:
    tiny = make_rendition(make_playable(owner).version, "120p", width=64, height=48)
    assert delivery.pick_rendition([tiny], short_side=120) is tiny


def test_a_version_without_any_mp4_is_not_ready(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, rungs=())
    for path in (f"/content/video-url/{video.pk}/", f"/api/v1/stream/{video.pk}/720p.mp4"):
        response = as_user(owner).get(path)
        assert (response.status_code, response.json()["code"]) == (409, "not_ready")


# --- captions --------------------------------------------------------------------------------------------------------


def test_the_master_playlist_has_the_captions_each_with_a_grant_of_its_own(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    store_objects(video)
    make_caption(video, "de")
    make_caption(video, "pt-BR", label="Português", folder="0123456789abcdef", is_uploaded=True)
    make_caption(video, "en", label="Of an older version", folder="v0")
    lines = as_user(owner).get(f"/api/v1/stream/{video.pk}/master.m3u8").content.decode().splitlines()
    captions = [line for line in lines if "TYPE=SUBTITLES" in line]
    own = f"videos/{video.public_id}/0123456789abcdef"
    assert [line.rpartition("URI=")[2] for line in captions] == [
        f'"/media/{grants.sign(video.key_prefix)}/{video.key_prefix}/captions_de.m3u8"',
        f'"/media/{grants.sign(own)}/{own}/captions_pt-BR.m3u8"',
    ]
    assert 'LANGUAGE="pt-BR"' in captions[1]
    assert next(line for line in lines if line.startswith("#EXT-X-STREAM-INF")).endswith(',SUBTITLES="captions"')


def test_the_master_playlist_takes_as_many_queries_for_any_number_of_captions(
    owner: User, viewer: User, as_user: SignIn, django_assert_num_queries: Any
) -> None:
    video = make_playable(owner)
    store_objects(video)
    client = as_user(viewer)
    for languages in (["de"], ["en", "fr", "it", "es"]):
        for language in languages:
            make_caption(video, language)
        with django_assert_num_queries(3):
            client.get(f"/api/v1/stream/{video.public_id}/master.m3u8")


# --- the storyboard --------------------------------------------------------------------------------------------------


def test_every_cue_of_the_storyboard_names_a_part_of_a_signed_picture(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    cue = "00:00:0{}.000 --> 00:00:0{}.000\nstoryboard.jpg#xywh={},0,160,90\n"
    stored = "WEBVTT\n\n" + cue.format(0, 1, 0) + "\n" + cue.format(1, 2, 160)
    store_objects(video, storyboard_vtt=stored.encode())
    response = as_user(owner).get(f"/api/v1/stream/{video.public_id}/storyboard.vtt", headers={"Accept": "text/vtt"})
    sheet = f"{video.key_prefix}/storyboard.jpg"
    assert (response.status_code, response["Content-Type"]) == (200, "text/vtt")
    assert response["Cache-Control"] == "private, no-store"
    signed = f"/media/file/{grants.sign_file(sheet)}/{sheet}"
    assert response.content.decode() == stored.replace("storyboard.jpg", signed)


# --- posters ---------------------------------------------------------------------------------------------------------


def test_the_poster_of_a_listed_video_is_public_and_cached_for_a_year(
    owner: User, client: Any, django_assert_num_queries: Any
) -> None:
    video = make_playable(owner)
    store_objects(video, poster_jpg=b"a good frame", poster_small_jpg=b"the same, small")
    for name, content in (("poster", b"a good frame"), ("poster_small", b"the same, small")):
        with django_assert_num_queries(1):
            response = client.get(f"/media/posters/{video.public_id}/v1/{name}.jpg")
        assert (response.status_code, response.content) == (200, content)
        assert response["Content-Type"] == "image/jpeg"
        assert response["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "poster", ["v0/poster.jpg", "v1/poster_2.jpg", "0123456789abcdef/poster.jpg", "v1/720p.jpg", "v1/master.jpg"]
)
@pytest.mark.parametrize("size", ["", "_small"])
def test_the_address_of_another_poster_redirects_to_the_current_one(
    poster: str, size: str, owner: User, client: Any
) -> None:
    """Clients may still show a list with the old address. No other picture of the video is public."""
    video = make_playable(owner)
    response = client.get(f"/media/posters/{video.public_id}/{poster.replace('.jpg', f'{size}.jpg')}")
    shown = f"/media/posters/{video.public_id}/v1/poster{size}.jpg"
    assert (response.status_code, response["Location"]) == (302, shown)
    assert response["Cache-Control"] == "no-cache"


def test_the_address_of_a_missing_small_poster_redirects_to_the_large_one(owner: User, client: Any) -> None:
    """A picture of a release without small posters, chosen again after a client has read a list."""
    video = make_playable(owner, has_small_poster=False)
    response = client.get(f"/media/posters/{video.public_id}/v1/poster_small.jpg")
    assert (response.status_code, response["Location"]) == (302, f"/media/posters/{video.public_id}/v1/poster.jpg")


@pytest.mark.parametrize(
    "fields",
    [
        {"visibility": Visibility.PRIVATE},
        {"visibility": Visibility.UNLISTED},
        {"deleted_at": "2026-01-01T00:00Z"},
        {"poster": ""},
    ],
)
@pytest.mark.parametrize("poster", ["v1/poster.jpg", "v0/poster.jpg"])
def test_other_posters_are_not_found_without_a_grant(
    poster: str, fields: dict[str, Any], owner: User, client: Any
) -> None:
    video = make_playable(owner, **fields)
    store_objects(video)
    assert client.get(f"/media/posters/{video.public_id}/{poster}").status_code == 404


@pytest.mark.parametrize(
    "poster",
    [
        "v1.jpg",
        "v1/poster.png",
        "v1/..%2fposter.jpg",
        "../v1/poster.jpg",
        "%2e%2e/poster.jpg",
        "v1%00/poster.jpg",
        "v1/",
    ],
)
def test_other_addresses_of_posters_are_not_found(poster: str, owner: User, client: Any) -> None:
    video = make_playable(owner)
    store_objects(video)
    assert client.get(f"/media/posters/{video.public_id}/{poster}").status_code == 404


@pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.UNLISTED])
def test_an_uploaded_poster_of_a_hidden_video_has_a_grant_of_its_own(
    visibility: str, owner: User, as_user: SignIn
) -> None:
    video = make_playable(owner, visibility=visibility, poster="0123456789abcdef/poster.jpg")
    key = f"videos/{video.public_id}/0123456789abcdef/poster.jpg"
    assert as_user(owner).get(f"/content/{video.pk}/").json()["image_file"] == (
        f"http://testserver/media/file/{grants.sign_file(key)}/{key}"
    )


def test_a_poster_that_cannot_be_read_now_is_a_503(owner: User, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_playable(owner)

    def fail(store: LocalStore, key: str) -> bytes:
        raise StorageUnavailable

    monkeypatch.setattr(LocalStore, "read_bytes", fail)
    response = client.get(f"/media/posters/{video.public_id}/v1/poster.jpg")
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert "max-age" not in response.get("Cache-Control", "")


def test_a_poster_that_is_gone_is_not_found(owner: User, client: Any) -> None:
    video = make_playable(owner)
    Path(store_objects(video), "poster.jpg").unlink()
    assert client.get(f"/media/posters/{video.public_id}/v1/poster.jpg").status_code == 404
