"""A creator or admin who loses the role between two steps of an upload publishes nothing by that upload."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from rest_framework.test import APIClient

from content_app.models import DirectUpload, Run, Video
from content_app.services.additions import posters
from content_app.services.processing import preflight
from content_app.services.storage.stores import get_store
from content_app.services.uploads import checks, direct_uploads
from content_app.states import RunState, State
from content_app.tests.factories import make_picture, make_playable, make_upload, original_files
from content_app.tests.test_room import Watched, post_form
from content_app.tests.test_tus import V1, begun, head, patch
from content_app.tests.test_uploads import BOUNDARY, FORM, form
from tests.clips import Clip, make_clip
from users_app.models import User
from users_app.roles import Role

SignIn = Callable[[User], APIClient]
VIDEOS = "/api/v1/videos/"
ADD = "/admin/content_app/video/add/"
METADATA = "/api/v1/upload/videos/metadata/"
FIELDS = {"title": "Brought", "description": "", "visibility": "PUBLIC", "price": "0", "currency": "EUR"}

pytestmark = pytest.mark.usefixtures("enqueued", "commits_at_once")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_clip(tmp_path_factory.mktemp("film"), Clip(size="160x120", rate="25", duration_s=1)).read_bytes()


def demote(person: User) -> None:
    User.objects.filter(pk=person.pk).update(role=Role.VIEWER, is_staff=False, is_superuser=False)


def person_asking(person: User, as_user: SignIn) -> APIClient:
    """Changes the role in the database, where each request reads it."""
    return as_user(User.objects.get(pk=person.pk))


def nothing_is_published() -> bool:
    """True when no file that was sent is processed, or is shown as the original of a film."""
    processed = Run.objects.exclude(original="").exclude(state=RunState.DONE)
    shown = Video.objects.exclude(video_file="").exclude(video_file=F("version__run__original"))
    return not processed.exists() and not shown.exists()


# --- by tus ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps_before", range(6))
def test_tus_checks_the_role_at_every_step(
    steps_before: int, owner: User, as_user: SignIn, film: bytes, to_check: list[int]
) -> None:
    def announce(client: APIClient) -> int:
        addresses.append(begun(client, len(film)))
        return 201

    def check(client: APIClient) -> int:
        for upload_id in to_check:
            checks.check(upload_id=upload_id)
        refused = DirectUpload.objects.filter(problem_code="not_allowed").exists()
        return 403 if refused else 200

    def describe(client: APIClient) -> int:
        body = {"video_s3_key": DirectUpload.objects.get().key, "title": "Brought"}
        return client.post(METADATA, body, format="json").status_code

    addresses: list[str] = []
    steps: list[Callable[[APIClient], int]] = [
        announce,
        lambda client: patch(client, addresses[0], film[:1000]).status_code,
        lambda client: head(client, addresses[0]).status_code,
        describe,
        lambda client: patch(client, addresses[0], film[1000:], 1000).status_code,
        check,
    ]
    for step in steps[:steps_before]:
        assert step(person_asking(owner, as_user)) < 300
    demote(owner)
    if steps_before:
        assert steps[steps_before](person_asking(owner, as_user)) == 403
    else:
        headers = {**V1, "Upload-Length": "5", "Upload-Metadata": "filename ZmlsbS5tcDQ="}
        refused = person_asking(owner, as_user).generic("POST", "/api/v1/upload/tus/", headers=headers)
        assert refused.status_code == 403
    assert nothing_is_published()


@pytest.mark.parametrize("is_given_away", [False, True])
def test_a_user_who_loses_the_right_during_the_check_is_refused(
    owner: User, creator: User, film: bytes, monkeypatch: pytest.MonkeyPatch, is_given_away: bool
) -> None:
    video = make_playable(owner)
    upload = brought(owner, film, video)

    def examine(*arguments: Any) -> Any:
        Video.objects.update(owner=creator) if is_given_away else demote(owner)
        return really(*arguments)

    really = preflight.examine_film
    monkeypatch.setattr(preflight, "examine_film", examine)
    checks.check(upload_id=upload.pk)
    upload.refresh_from_db()
    video.refresh_from_db()
    assert (upload.problem_code, video.state, nothing_is_published()) == ("not_allowed", State.READY, True)


def test_a_picture_of_a_demoted_user_is_refused(owner: User) -> None:
    video = make_playable(owner)
    upload = brought(owner, make_picture(), video, purpose=direct_uploads.Purpose.POSTER)
    demote(owner)
    checks.check(upload_id=upload.pk)
    upload.refresh_from_db()
    assert upload.problem_code == "not_allowed"
    assert not posters.is_uploaded(Video.objects.get())


def brought(person: User, content: bytes, video: Video, **announced: Any) -> DirectUpload:
    upload = direct_uploads.announce(owner=person, name="a.mp4", size_bytes=len(content), video=video, **announced)
    path = Path(get_store().root, "brought")  # type: ignore[attr-defined]  # of a folder
    path.write_bytes(content)
    get_store().put(path, upload.key, "")
    direct_uploads.mark_arrived(upload=upload)
    return upload


# --- by forms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("is_meanwhile", [False, True])
def test_a_form_with_a_file_needs_the_role_before_and_after_it_arrives(
    method: str, is_meanwhile: bool, is_large: bool, owner: User, as_user: SignIn
) -> None:
    path = f"{VIDEOS}{make_playable(owner).pk}/" if method == "PATCH" else VIDEOS
    body = form(bytes(2_000_000 if is_large else 200_000))
    client = person_asking(owner, as_user)
    if not is_meanwhile:
        demote(owner)
        client = person_asking(owner, as_user)
    stream = Watched(body, lambda: demote(owner)) if is_meanwhile else io.BytesIO(body)
    answer = post_form(client, stream, len(body), path, method)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert (nothing_is_published(), original_files()) == (True, [])
    assert Video.objects.filter(title="Holiday").count() == 0, "the texts of the form are not saved either"
    if is_large and not is_meanwhile:
        assert stream.tell() == 0, "the body was not read"


def test_a_film_that_got_another_owner_in_the_meantime_takes_no_file(
    owner: User, creator: User, as_user: SignIn
) -> None:
    video = make_playable(owner)
    body = form(bytes(200_000))
    stream = Watched(body, lambda: Video.objects.update(owner=creator))
    answer = post_form(as_user(owner), stream, len(body), f"{VIDEOS}{video.pk}/", "PATCH")
    assert (answer.status_code, nothing_is_published(), original_files()) == (403, True, [])


def test_a_demoted_owner_may_still_change_the_texts(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    demote(owner)
    head_, tail = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\n', f"\r\n--{BOUNDARY}--\r\n"
    client = person_asking(owner, as_user)
    assert client.patch(f"{VIDEOS}{video.pk}/", {"title": "Words"}, format="json").status_code == 200
    assert client.patch(f"{VIDEOS}{video.pk}/", f"{head_}More{tail}".encode(), content_type=FORM).status_code == 200
    assert Video.objects.get().title == "More"


# --- the admin site --------------------------------------------------------------------------------------------------


def test_an_admin_who_is_demoted_while_the_form_arrives_stores_nothing(
    staff: Client, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def demoted_meanwhile(*_: Any, **__: Any) -> str:
        demote(admin)
        return ""

    monkeypatch.setattr("content_app.admin.forms.VideoForm.clean_upload_key", demoted_meanwhile)
    answer = staff.post(ADD, {**FIELDS, "owner": admin.pk, "video_file": make_upload()})
    assert answer.status_code == 403
    assert (Video.objects.exists(), original_files()) == (False, [])


@pytest.mark.parametrize("is_before_saving", [True, False])
def test_an_admin_who_is_demoted_before_or_after_saving_publishes_nothing(
    staff: Client, admin: User, film: bytes, to_check: list[int], is_before_saving: bool
) -> None:
    upload = brought(admin, film, None)  # type: ignore[arg-type]  # a film of its own
    if is_before_saving:
        demote(admin)
    answer = staff.post(
        ADD, {**FIELDS, "owner": admin.pk, "upload_key": upload.key}, headers={"Accept": "application/json"}
    )
    assert (answer.status_code == 201) != is_before_saving
    demote(admin)
    for upload_id in to_check:
        checks.check(upload_id=upload_id)
    assert nothing_is_published()
