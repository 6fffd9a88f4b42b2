"""Captions: users add, read and remove them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.input_rules import MEGABYTE
from content_app.models import Caption, Discard, Video
from content_app.services.additions import captions, folders
from content_app.states import Visibility
from content_app.tests.factories import make_caption, make_playable, make_video, store_objects
from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage.store import LocalStore
from users_app.models import User

SignIn = Callable[[User], APIClient]
SRT = "1\n00:00:01,000 --> 00:00:02,000\nGrüß <b>Gott</b> & <script>x</script>!\n"
VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nGrüß <b>Gott</b> &amp; x!\n"

pytestmark = pytest.mark.usefixtures("enqueued")


def path_of(video: Video, language: str = "") -> str:
    return f"/api/v1/videos/{video.public_id}/captions/{language}{'/' if language else ''}"


def post(client: APIClient, video: Video, language: str, content: bytes = SRT.encode(), **fields: Any) -> Any:
    file = SimpleUploadedFile("captions.srt", content)
    return client.post(path_of(video, language), {"file": file, **fields}, format="multipart")


def folder_of(video: Video, caption: Caption) -> Path:
    return Path(settings.MEDIA_ROOT, "videos", str(video.public_id), caption.folder)


# --- adding and reading ----------------------------------------------------------------------------------------------


def test_captions_are_added_listed_and_read_as_webvtt(owner: User, viewer: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    added = post(as_user(owner), video, "de")
    assert added.status_code == 201
    assert added.json() == {
        "language": "de",
        "label": "Deutsch",
        "is_uploaded": True,
        "url": f"http://testserver/api/v1/videos/{video.public_id}/captions/de/",
    }
    assert as_user(viewer).get(path_of(video)).json() == [added.json()]
    read = as_user(viewer).get(added.json()["url"], headers={"Accept": "text/vtt"})
    assert (read.status_code, read["Content-Type"], read.content.decode()) == (200, "text/vtt", VTT)
    assert read["X-Content-Type-Options"] == "nosniff"
    assert not Discard.objects.exists()


def test_captions_are_stored_with_their_playlist(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, duration_s=30.5)
    post(as_user(owner), video, "pt-br")
    folder = folder_of(video, Caption.objects.get())
    assert sorted(path.name for path in folder.iterdir()) == ["captions_pt-BR.m3u8", "captions_pt-BR.vtt"]
    playlist = (folder / "captions_pt-BR.m3u8").read_text()
    assert "#EXTINF:30.500000,\ncaptions_pt-BR.vtt\n" in playlist


def test_the_master_playlist_names_the_captions(owner: User, viewer: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    store_objects(video)
    post(as_user(owner), video, "de")
    master = as_user(viewer).get(f"/api/v1/stream/{video.public_id}/master.m3u8").content.decode()
    (line,) = [line for line in master.splitlines() if "TYPE=SUBTITLES" in line]
    assert line.endswith(f'/videos/{video.public_id}/{Caption.objects.get().folder}/captions_de.m3u8"')
    assert 'NAME="Deutsch",LANGUAGE="de"' in line


@pytest.mark.parametrize(
    ("language", "label", "shown"),
    [
        ("de", "", "Deutsch"),
        ("de", "  Für\tGehörlose ", "Für Gehörlose"),
        ("pt-BR", "", "Português (BR)"),
        ("gsw", "", "gsw"),
        ("und", "", "Captions"),
        ("de", 'a"b\u202e', 'a"b'),
    ],
)
def test_the_menu_shows_the_label_or_the_language(
    language: str, label: str, shown: str, owner: User, as_user: SignIn
) -> None:
    assert post(as_user(owner), make_playable(owner), language, label=label).json()["label"] == shown


@pytest.mark.parametrize("language", ["DE", "ger", "deu"])
def test_a_language_has_one_spelling(language: str, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    post(as_user(owner), video, "de")
    assert post(as_user(owner), video, language).status_code == 201
    assert [caption.language for caption in video.captions.all()] == ["de"]
    assert as_user(owner).get(path_of(video, language)).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + SRT.encode(),
        SRT.encode("cp1252"),
        b"\xff\xfe" + SRT.encode("utf-16-le"),
        SRT.replace("\n", "\r\n").encode(),
    ],
)
def test_text_is_read_in_any_encoding(content: bytes, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    post(as_user(owner), video, "de", content)
    assert as_user(owner).get(path_of(video, "de")).content.decode() == VTT


# --- replacing and removing ------------------------------------------------------------------------------------------


def test_new_captions_replace_the_old_ones(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    post(as_user(owner), video, "de")
    replaced = Caption.objects.get()
    post(as_user(owner), video, "de", SRT.replace("Gott", "dich").encode())
    assert "dich" in as_user(owner).get(path_of(video, "de")).content.decode()
    (discard,) = Discard.objects.all()
    assert discard.prefix == f"videos/{video.public_id}/{replaced.folder}"
    assert discard.due_at > timezone.now() + timedelta(minutes=settings.OLD_VERSION_MINUTES - 1)


def test_captions_of_the_file_are_replaced_but_stay_with_their_version(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    make_caption(video, "de")
    post(as_user(owner), video, "de")
    assert Caption.objects.get().is_uploaded
    assert not Discard.objects.exists()


def test_captions_are_removed(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    post(as_user(owner), video, "de")
    folder = Caption.objects.get().folder
    make_caption(video, "en")
    client = as_user(owner)
    assert [client.delete(path_of(video, language)).status_code for language in ("de", "en", "de", "fr")] == [
        *(204, 204, 404, 404)
    ]
    assert client.get(path_of(video)).json() == []
    assert [row.prefix for row in Discard.objects.all()] == [f"videos/{video.public_id}/{folder}"]


def test_captions_of_an_older_version_are_not_shown(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    make_caption(video, "de", folder="v0")
    assert as_user(owner).get(path_of(video)).json() == []
    assert as_user(owner).get(path_of(video, "de")).status_code == 404


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "language", ["d", "german", "de_AT", "de-", "12", "de%00", "ｄｅ", "de-123456789", "x" * 500, "%20"]
)
def test_an_invalid_language_is_refused(language: str, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    response = post(as_user(owner), video, language)
    assert (response.status_code, response.json()["code"]) == (400, "bad_language")
    assert as_user(owner).get(path_of(video, language)).status_code == 404
    assert as_user(owner).delete(path_of(video, language)).status_code == 404
    assert not Caption.objects.exists()


@pytest.mark.parametrize("content", [b"", b"no captions", b"\0" * 1000, b"\x89PNG\r\n\x1a\n", bytes(range(256)) * 100])
def test_a_file_without_captions_is_refused_and_leaves_nothing(content: bytes, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    response = post(as_user(owner), video, "de", content)
    assert (response.status_code, response.json()["code"]) == (400, "not_captions")
    assert not Caption.objects.exists()
    assert not list(Path(settings.MEDIA_ROOT).rglob("captions*"))
    assert list(settings.WORK_DIR.iterdir()) == []


def test_a_file_of_more_than_2_mb_is_refused(owner: User, as_user: SignIn) -> None:
    response = post(as_user(owner), make_playable(owner), "de", SRT.encode() + b"x" * 2 * MEGABYTE)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert "2 MB" in response.json()["detail"]


@pytest.mark.parametrize("fields", [{}, {"file": "text"}, {"file": ["a", "b"]}])
def test_a_form_without_a_file_is_refused(fields: dict[str, Any], owner: User, as_user: SignIn) -> None:
    response = as_user(owner).post(path_of(make_playable(owner), "de"), fields, format="multipart")
    assert (response.status_code, list(response.json())) == (400, ["file", "code"])


@pytest.mark.parametrize("label", ["x" * 61, "a\0b"])
def test_a_label_that_cannot_be_shown_is_refused(label: str, owner: User, as_user: SignIn) -> None:
    response = post(as_user(owner), make_playable(owner), "de", label=label)
    assert (response.status_code, list(response.json())) == (400, ["label", "code"])


def test_captions_are_only_accepted_as_a_form(owner: User, as_user: SignIn) -> None:
    response = as_user(owner).post(path_of(make_playable(owner), "de"), {"file": SRT}, format="json")
    assert response.status_code == 415


def test_the_number_of_languages_of_a_video_is_limited(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    for number in range(captions.MAX_LANGUAGES):
        make_caption(video, f"x{chr(97 + number // 26)}{chr(97 + number % 26)}")
    refused = post(as_user(owner), video, "de")
    assert (refused.status_code, refused.json()["code"]) == (400, "too_many")
    assert post(as_user(owner), video, "xaa").status_code == 201, "captions that exist may be replaced"
    assert Discard.objects.count() == 1, "the files of the refused captions are discarded"


def test_a_storage_that_fails_is_reported(owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(LocalStore, "put", fail)
    response = post(as_user(owner), make_playable(owner), "de")
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert not Caption.objects.exists()


# --- permissions -----------------------------------------------------------------------------------------------------


def statuses(client: APIClient, video: Video) -> tuple[int, int, int, int]:
    """Returns the status codes of listing, reading, adding and removing."""
    return (
        client.get(path_of(video)).status_code,
        client.get(path_of(video, "de")).status_code,
        post(client, video, "de").status_code,
        client.delete(path_of(video, "de")).status_code,
    )


def test_users_who_may_watch_read_and_users_who_may_change_add(
    owner: User, admin: User, creator: User, viewer: User, as_user: SignIn
) -> None:
    video = make_playable(owner)
    make_caption(video)
    store_objects(video, captions_de_vtt=VTT.encode())
    assert statuses(as_user(viewer), video) == statuses(as_user(creator), video) == (200, 200, 403, 403)
    assert statuses(APIClient(), video) == (401,) * 4
    assert statuses(as_user(admin), video) == (200, 200, 201, 204)
    assert statuses(as_user(owner), video) == (200, 404, 201, 204)


def test_captions_of_hidden_paid_and_deleted_videos_are_protected_too(
    owner: User, viewer: User, as_user: SignIn
) -> None:
    hidden, paid, deleted = (
        make_playable(owner, visibility=Visibility.PRIVATE),
        make_playable(owner, is_paid=True, price=3),
        make_playable(owner, deleted_at=timezone.now()),
    )
    for video in (hidden, paid, deleted):
        make_caption(video)
    assert statuses(as_user(viewer), hidden) == (404,) * 4
    assert statuses(as_user(viewer), paid) == (200, 403, 403, 403)
    assert statuses(as_user(owner), deleted) == (404,) * 4


def test_a_video_without_a_version_takes_no_captions(owner: User, as_user: SignIn) -> None:
    video = make_video(owner)
    assert statuses(as_user(owner), video) == (200, 409, 409, 404)


# --- concurrency -----------------------------------------------------------------------------------------------------


def test_if_two_files_are_added_at_once_the_later_one_stays(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_playable(owner)
    keep = folders.store_addition

    def store_after_the_other(**what: Any) -> str:
        monkeypatch.setattr(folders, "store_addition", keep)
        captions.add_captions(video_id=video.pk, language="de", label="", text=SRT)
        return keep(**what)

    monkeypatch.setattr(folders, "store_addition", store_after_the_other)
    later = captions.add_captions(video_id=video.pk, language="de", label="Later", text=SRT)
    assert [caption.label for caption in Caption.objects.all()] == ["Later"]
    (discard,) = Discard.objects.all()
    assert discard.prefix != f"videos/{video.public_id}/{later.folder}"


def test_a_video_deleted_in_the_meantime_keeps_no_captions(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_playable(owner)
    keep = folders.store_addition

    def store_and_lose(**what: Any) -> str:
        folder = keep(**what)
        Video.objects.update(deleted_at=timezone.now())
        return folder

    monkeypatch.setattr(folders, "store_addition", store_and_lose)
    with pytest.raises(Http404):
        captions.add_captions(video_id=video.pk, language="de", label="", text=SRT)
    assert not Caption.objects.exists()
    assert Discard.objects.count() == 1
