"""Posters: candidates, uploaded pictures, and who may choose."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.input_rules import MEGABYTE
from content_app.models import Discard, Video
from content_app.services.additions import folders, posters
from content_app.services.playback import grants
from content_app.services.processing import lifecycle
from content_app.states import Visibility
from content_app.tests.factories import make_picture, make_playable, make_video, publish_version
from media_pipeline.errors import StorageUnavailable
from media_pipeline.pictures.repaint import NotAPicture
from media_pipeline.storage.store import LocalStore
from users_app.models import User

SignIn = Callable[[User], APIClient]
OWN = "0123456789abcdef/poster.jpg"

pytestmark = pytest.mark.usefixtures("enqueued")


def path_of(video: Video, route: str = "poster") -> str:
    return f"/api/v1/videos/{video.public_id}/{route}/"


def put_number(client: APIClient, video: Video, number: object) -> Any:
    return client.put(path_of(video), {"candidate": number}, format="json")


def put_picture(client: APIClient, video: Video, content: bytes, name: str = "my poster.png") -> Any:
    return client.put(path_of(video), {"file": SimpleUploadedFile(name, content)}, format="multipart")


def shown_poster(video: Video) -> str:
    return Video.objects.values_list("poster", flat=True).get(pk=video.pk)


def stored_files(video: Video) -> set[str]:
    folder = Path(settings.MEDIA_ROOT, "videos", str(video.public_id))
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def _quick_repaint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces repaint(), which has its own tests with a real ffmpeg."""

    def make_poster(ffmpeg: str, source: Path, folder: Path) -> tuple[Path, Path]:
        poster, small = folder / "poster.jpg", folder / "poster_small.jpg"
        for path in (poster, small):
            path.write_bytes(b"\xff\xd8 repainted")
        return poster, small

    monkeypatch.setattr(posters, "make_poster", make_poster)


# --- choosing --------------------------------------------------------------------------------------------------------


def test_the_candidates_are_those_of_the_version(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, poster="v1/poster_2.jpg", poster_choices=3)

    def signed(name: str) -> str:
        key = f"{video.key_prefix}/{name}.jpg"
        return f"http://testserver/media/file/{grants.sign_file(key)}/{key}"

    listed = f"http://testserver/media/posters/{video.public_id}/v1"
    assert as_user(owner).get(path_of(video, "posters")).json() == {
        "current": f"{listed}/poster_2.jpg",
        "current_small": f"{listed}/poster_2_small.jpg",
        "is_uploaded": False,
        "candidates": [
            {"number": number, "url": signed(name), "small_url": signed(f"{name}_small"), **current}
            for number, name, current in (
                (1, "poster", {"is_current": False}),
                (2, "poster_2", {"is_current": True}),
                (3, "poster_3", {"is_current": False}),
            )
        ],
    }


def test_a_version_without_small_pictures_shows_the_large_ones(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, has_small_poster=False, has_small_choices=False)
    body = as_user(owner).get(path_of(video, "posters")).json()
    assert body["current_small"] == body["current"]
    assert [one["small_url"] for one in body["candidates"]] == [one["url"] for one in body["candidates"]]


@pytest.mark.parametrize("has_small", [True, False])
def test_a_chosen_candidate_is_small_as_well_if_its_version_has_small_ones(
    has_small: bool, owner: User, as_user: SignIn
) -> None:
    video = make_playable(owner, poster=OWN, has_small_poster=not has_small, has_small_choices=has_small)
    body = put_number(as_user(owner), video, 2).json()
    assert body["current_small"].endswith("/v1/poster_2_small.jpg" if has_small else "/v1/poster_2.jpg")


def test_a_candidate_is_chosen_and_reset(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    chosen = put_number(as_user(owner), video, 3).json()
    assert [one["is_current"] for one in chosen["candidates"]] == [False, False, True]
    assert shown_poster(video) == "v1/poster_3.jpg"
    assert as_user(owner).delete(path_of(video)).json()["current"].endswith("/v1/poster.jpg")
    assert not Discard.objects.exists(), "candidates belong to the version"


@pytest.mark.parametrize("number", [4, 1000])
def test_an_unknown_number_is_refused(number: int, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    response = put_number(as_user(owner), video, number)
    assert (response.status_code, response.json()["code"]) == (400, "no_such_candidate")
    assert response.json()["detail"] == "This video has 3 pictures to choose from, counted from 1."
    assert shown_poster(video) == "v1/poster.jpg"


@pytest.mark.parametrize(
    "body",
    [{}, [], None, *({"candidate": one} for one in ("best", 0, -1, 10**30, 1.5, None, [1], True, "\ud800"))],
)
def test_an_invalid_number_is_a_400(body: Any, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    response = as_user(owner).put(path_of(video), json.dumps(body), content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert shown_poster(video) == "v1/poster.jpg"


@pytest.mark.usefixtures("_quick_repaint")
def test_an_uploaded_picture_has_a_small_one_even_if_the_version_has_none(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, has_small_poster=False, has_small_choices=False)
    body = put_picture(as_user(owner), video, b"new").json()
    assert body["current_small"] == body["current"].replace("poster.jpg", "poster_small.jpg")


# --- uploaded pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_an_uploaded_picture_is_encoded_anew_and_shown(kind: str, owner: User, as_user: SignIn, client: Any) -> None:
    video = make_playable(owner)
    body = put_picture(as_user(owner), video, make_picture(kind=kind)).json()
    assert body["is_uploaded"]
    assert not any(one["is_current"] for one in body["candidates"])
    folder, _, file = shown_poster(video).partition("/")
    assert (len(folder), file) == (16, "poster.jpg")
    for url in (body["current"], body["current_small"]):
        assert client.get(url).content.startswith(b"\xff\xd8\xff")
    assert stored_files(video) == {f"{folder}/poster.jpg", f"{folder}/poster_small.jpg"}
    assert not Discard.objects.exists()
    assert list(settings.WORK_DIR.iterdir()) == []


@pytest.mark.usefixtures("_quick_repaint")
def test_a_replaced_picture_is_removed_when_its_addresses_have_expired(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, poster=OWN)
    put_picture(as_user(owner), video, b"new")
    (discard,) = Discard.objects.all()
    assert discard.prefix == f"videos/{video.public_id}/0123456789abcdef"
    assert discard.due_at > timezone.now() + timedelta(minutes=settings.OLD_VERSION_MINUTES - 1)


def test_a_picture_that_is_reset_is_removed_once(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, poster=OWN)
    for _ in range(2):
        assert as_user(owner).delete(path_of(video)).json()["is_uploaded"] is False
    assert [row.prefix for row in Discard.objects.all()] == [f"videos/{video.public_id}/0123456789abcdef"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("poster.png", b""),
        ("poster.png", b"this is no picture"),
        ("poster.jpg", b"\xff\xd8\xff" + b"noise" * 100),
        ("poster.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"),
        ("film.mp4", b"\0\0\0\x20ftypisom"),
        ("list.m3u8", b"#EXTM3U\nhttp://127.0.0.1/\n"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_and_leaves_nothing(
    name: str, content: bytes, owner: User, as_user: SignIn
) -> None:
    video = make_playable(owner)
    response = put_picture(as_user(owner), video, content, name)
    assert (response.status_code, response.json()["code"]) == (400, "not_a_picture")
    assert response.json()["detail"] == (NotAPicture.sentence if content else "The file is empty.")
    assert shown_poster(video) == "v1/poster.jpg"
    assert stored_files(video) == set()
    assert list(settings.WORK_DIR.iterdir()) == []


def test_a_gif_is_refused(owner: User, as_user: SignIn) -> None:
    assert put_picture(as_user(owner), make_playable(owner), make_picture(kind="gif")).status_code == 400


def test_a_picture_of_more_than_15_mb_is_refused(owner: User, as_user: SignIn) -> None:
    response = put_picture(as_user(owner), make_playable(owner), b"\xff\xd8\xff" + b"x" * 15 * MEGABYTE)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert "15 MB" in response.json()["detail"]


@pytest.mark.parametrize("fields", [{}, {"file": "text"}, {"candidate": 1}])
def test_a_form_without_a_picture_is_refused(fields: dict[str, Any], owner: User, as_user: SignIn) -> None:
    response = as_user(owner).put(path_of(make_playable(owner)), fields, format="multipart")
    assert (response.status_code, list(response.json())) == (400, ["file", "code"])


@pytest.mark.parametrize("content_type", ["image/png", "text/plain", "multipart/form-data"])
def test_another_media_type_is_refused(content_type: str, owner: User, as_user: SignIn) -> None:
    response = as_user(owner).put(path_of(make_playable(owner)), b"x", content_type=content_type)
    assert response.status_code in (400, 415)


@pytest.mark.usefixtures("_quick_repaint")
def test_a_storage_error_is_reported_and_nothing_is_left(
    owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_playable(owner)

    def fail(*_: Any) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(LocalStore, "put", fail)
    response = put_picture(as_user(owner), video, b"picture")
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert shown_poster(video) == "v1/poster.jpg"
    (discard,) = Discard.objects.all()
    assert discard.prefix.startswith(f"videos/{video.public_id}/")


# --- permissions -----------------------------------------------------------------------------------------------------


def requests_of(client: APIClient, video: Video) -> list[int]:
    return [
        client.get(path_of(video, "posters")).status_code,
        put_number(client, video, 2).status_code,
        put_picture(client, video, b"x").status_code,
        client.delete(path_of(video)).status_code,
    ]


def test_it_is_for_the_owner_and_admins(owner: User, admin: User, creator: User, viewer: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    hidden = make_playable(owner, visibility=Visibility.PRIVATE)
    assert requests_of(as_user(creator), video) == requests_of(as_user(viewer), video) == [403] * 4
    assert requests_of(as_user(creator), hidden) == [404] * 4
    assert requests_of(APIClient(), video) == [401] * 4
    assert as_user(admin).get(path_of(video, "posters")).status_code == 200
    assert put_number(as_user(admin), video, 2).status_code == 200


def test_a_deleted_video_has_no_posters(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, deleted_at=timezone.now())
    assert requests_of(as_user(owner), video) == [404] * 4


def test_a_video_without_a_version_has_no_candidates(owner: User, as_user: SignIn) -> None:
    video = make_video(owner)
    assert requests_of(as_user(owner), video) == [409] * 4
    assert put_number(as_user(owner), video, 1).json()["code"] == "not_ready"


@pytest.mark.parametrize("ref", ["0", "999999", "abc", "00000000-0000-4000-8000-000000000000", "9" * 30])
def test_odd_ids_are_not_found(ref: str, owner: User, as_user: SignIn) -> None:
    client = as_user(owner)
    assert client.get(f"/api/v1/videos/{ref}/posters").status_code == 404
    assert client.put(f"/api/v1/videos/{ref}/poster", {"candidate": 1}, format="json").status_code == 404


# --- concurrency -----------------------------------------------------------------------------------------------------


def meanwhile(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Changes the video once, between the read and the write of the service."""
    switch = lifecycle.switch_poster
    left = [change]

    def switch_after_the_other(*, video: Video, poster: str) -> bool:
        if left:
            left.pop()()
        return switch(video=video, poster=poster)

    monkeypatch.setattr(lifecycle, "switch_poster", switch_after_the_other)


def test_a_choice_applies_to_a_version_published_in_the_meantime(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_playable(owner)
    meanwhile(monkeypatch, lambda: publish_version(video, "v2", poster_choices=3))
    posters.choose(video_id=video.pk, number=2)
    assert shown_poster(video) == "v2/poster_2.jpg"


def test_a_version_with_fewer_candidates_refuses_the_number(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_playable(owner)
    meanwhile(monkeypatch, lambda: publish_version(video, "v2", poster_choices=1))
    with pytest.raises(folders.AdditionRefused):
        posters.choose(video_id=video.pk, number=2)
    assert shown_poster(video) == "v2/poster.jpg"


@pytest.mark.usefixtures("_quick_repaint")
def test_if_two_pictures_are_uploaded_at_once_the_later_one_stays(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_playable(owner)
    meanwhile(monkeypatch, lambda: Video.objects.update(poster=OWN))
    posters.upload(video_id=video.pk, upload=SimpleUploadedFile("b.png", b"later"))
    assert shown_poster(video) not in (OWN, "v1/poster.jpg")
    assert [row.prefix for row in Discard.objects.all()] == [f"videos/{video.public_id}/0123456789abcdef"]


@pytest.mark.usefixtures("_quick_repaint")
def test_a_video_deleted_in_the_meantime_keeps_no_picture(
    owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_playable(owner)
    meanwhile(monkeypatch, lambda: Video.objects.update(deleted_at=timezone.now()))
    assert put_picture(as_user(owner), video, b"picture").status_code == 404
    (folder,) = {stored.partition("/")[0] for stored in stored_files(video)}
    assert [row.prefix for row in Discard.objects.all()] == [f"videos/{video.public_id}/{folder}"]
