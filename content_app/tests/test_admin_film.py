"""The page of one video in Django admin: its player, its state, and its buttons."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from content_app.admin.changes import DELETED
from content_app.admin.wording import NEXT_STEPS
from content_app.models import Caption, Video
from content_app.services.additions import captions
from content_app.services.processing import preflight
from content_app.states import State, Visibility
from content_app.tests.factories import (
    make_caption,
    make_picture,
    make_playable,
    make_video,
    refuse_candidate,
    store_objects,
)
from media_pipeline import errors
from users_app.models import User

LIST = "/admin/content_app/video/"
CUES = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"

pytestmark = pytest.mark.usefixtures("enqueued")


def page_of(video: Video) -> str:
    return f"{LIST}{video.pk}/change/"


def shown(staff: Client, video: Video) -> str:
    return staff.get(page_of(video)).content.decode()


def told(staff: Client, path: str, form: dict[str, Any]) -> list[str]:
    """Returns the messages on the page after this form."""
    response = staff.post(path, form, follow=True)
    assert response.redirect_chain[-1][0].endswith("/change/")
    return [str(message) for message in response.context["messages"]]


# --- Contents ---


def test_the_page_of_a_playable_video_has_player_posters_captions_and_qualities(staff: Client, owner: User) -> None:
    video = make_playable(owner)
    make_caption(video)
    page = shown(staff, video)
    for text in (f'data-master="{LIST}{video.pk}/master.m3u8"', f'data-storyboard="{LIST}{video.pk}/storyboard.vtt"'):
        assert text in page
    watch = f"/watch/{video.public_id}/"
    for text in ("/v1/poster_3_small.jpg", "Deutsch", "found in the file", "360p", "720p", watch):
        assert text in page
    assert "originals/" not in page


def test_the_page_of_a_failed_video_says_why_and_what_to_do(staff: Client, owner: User) -> None:
    told = {"error_code": "truncated", "error_message": "It is cut off.", "error_is_final": True}
    verdict = {
        **preflight.refused_verdict("truncated", "It is cut off."),
        "found": {"lines": [{"label": "A", "text": "B"}]},
    }
    page = shown(staff, make_video(owner, state=State.ERROR, **told, verdict=verdict))
    for text in ("truncated", NEXT_STEPS["truncated"], "Another file"):
        assert text in page
    assert page.count("It is cut off.") == 1
    assert "Try again" not in page


def test_the_page_lists_the_files_of_a_film_once_there_are_several(staff: Client, owner: User) -> None:
    video = make_playable(owner, name="first.mp4")
    assert 'id="runs" data-testid="runs" aria-labelledby="runs-title" hidden' in shown(staff, video)
    refuse_candidate(video, name="other.mov", verdict={"found": {"lines": []}})
    page = shown(staff, video)
    rows = page[page.index('id="runs"') :].partition("</section>")[0]
    assert "hidden" not in rows
    assert rows.index("other.mov") < rows.index("This file is not a video that can be read.") < rows.index("first.mp4")


@pytest.mark.parametrize(
    ("told", "may_try"),
    [
        ({"error_code": "storage_unavailable"}, True),
        ({"error_code": "not_a_video", "error_is_final": True}, False),
        # The limit may have been raised since.
        ({"error_code": "too_long", "error_is_final": True}, True),
    ],
)
def test_staff_may_process_again_where_it_can_help(
    told: dict[str, Any], may_try: bool, staff: Client, owner: User
) -> None:
    page = shown(staff, make_video(owner, state=State.ERROR, **told))
    assert ("Try again" in page) is may_try


def test_every_error_has_a_next_step() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PipelineError)
    ]
    assert {kind.code for kind in kinds} == NEXT_STEPS.keys()


def test_the_explanation_shows_what_was_found_and_planned(staff: Client, owner: User) -> None:
    verdict = {
        "verdict": "warnings",
        "code": "",
        "sentence": "There is something to know.",
        "warnings": ["It is long."],
        "found": {"lines": [{"label": "Length", "text": "2 h"}]},
        "reasons": ["Never larger than its picture."],
        "planned": {"lines": [{"label": "Qualities", "text": "120p, 360p"}]},
        "cost": {"seconds": 90, "bytes": 5_000_000, "most_bytes": 9_000_000, "basis": "By the last films."},
        "command": ["ffmpeg", "-i", "a file"],
    }
    page = shown(staff, make_video(owner, state=State.PENDING, verdict=verdict))
    for text in ("There is something to know.", "It is long.", "2 h", "120p, 360p", "Never larger than its picture."):
        assert text in page
    for text in ("1 min 30 s of work", "By the last films.", "ffmpeg -i &#x27;a file&#x27;"):
        assert text in page


def test_more_qualities_captions_and_posters_cost_the_page_no_more_queries(
    staff: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    plain, rich = make_playable(owner, rungs=["360p"], poster_choices=1), make_playable(owner, poster_choices=6)
    for language in ("de", "en", "fr"):
        make_caption(rich, language)
    with django_assert_max_num_queries(100) as few:
        staff.get(page_of(plain))
    with django_assert_max_num_queries(len(few)):
        staff.get(page_of(rich))


# --- Player ---


@pytest.mark.parametrize(
    "fields", [{}, {"visibility": Visibility.PRIVATE}, {"is_paid": True, "price": 3}, {"deleted_at": timezone.now()}]
)
def test_staff_play_every_video_by_signed_addresses(fields: dict[str, Any], staff: Client, owner: User) -> None:
    video = make_playable(owner, **fields)
    store_objects(video, storyboard_vtt=b"WEBVTT\n\n00:00.000 --> 00:01.000\nstoryboard.jpg#xywh=0,0,9,9\n")
    master = staff.get(f"{LIST}{video.pk}/master.m3u8")
    assert (master.status_code, master["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
    assert f"/{video.key_prefix}/360p.m3u8" in master.content.decode()
    assert f"/{video.key_prefix}/storyboard.jpg#xywh" in staff.get(f"{LIST}{video.pk}/storyboard.vtt").content.decode()


def test_a_video_without_a_version_has_no_playlist(staff: Client, owner: User) -> None:
    assert staff.get(f"{LIST}{make_video(owner).pk}/master.m3u8").status_code == 404
    assert staff.get(f"{LIST}{'9' * 30}/master.m3u8").status_code == 404
    assert staff.get(f"{LIST}{make_playable(owner).pk}/master.m3u8").status_code == 503, "its objects are gone"


@pytest.mark.parametrize("path", ["live/", "1/master.m3u8", "1/storyboard.vtt"])
def test_scripts_of_strangers_get_403_instead_of_the_sign_in_page(path: str, client: Client, viewer: User) -> None:
    assert client.get(f"{LIST}{path}").json()["code"] == "not_signed_in"
    client.force_login(viewer)
    assert client.get(f"{LIST}{path}").status_code == 403


# --- Live state ---


def test_the_states_of_many_videos_take_one_query(
    staff: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    videos = [make_video(owner, state=State.PROCESSING, progress=42, time_left_s=30), make_playable(owner)]
    with django_assert_max_num_queries(100) as few:
        staff.get(f"{LIST}live/?ids={videos[0].pk}")
    with django_assert_max_num_queries(len(few)):
        answer = staff.get(f"{LIST}live/?ids={','.join(str(video.pk) for video in videos)}").json()
    busy, ready = sorted(answer["videos"], key=lambda video: video["id"])
    assert (busy["label"], busy["percent"], busy["detail"]) == ("Processing, 42 %", 42, "about 30 s left")
    assert (busy["is_underway"], busy["tone"]) == (True, "busy")
    assert (ready["label"], ready["is_underway"]) == ("Ready", False)
    assert ready["picture"].endswith("/v1/poster_small.jpg")


@pytest.mark.parametrize("ids", ["", "x", "9" * 30, "-1", "%00", "1,,2", "999"])
def test_invalid_ids_have_no_state(ids: str, staff: Client) -> None:
    assert staff.get(f"{LIST}live/?ids={ids}").json() == {"videos": []}


# --- Buttons ---


def test_a_video_is_deleted_restored_and_processed_again(staff: Client, owner: User) -> None:
    video = make_playable(owner)
    move = f"{LIST}{video.pk}/move"
    assert told(staff, move, {"to": "delete"}) == [DELETED]
    assert told(staff, move, {"to": "restore"}) == ["The film is back."]
    assert told(staff, move, {"to": "restore"}) == ["The film is not deleted."]
    assert told(staff, move, {"to": "process"}) == ["Put back in the queue."]
    video.refresh_from_db()
    assert (video.state, video.deleted_at) == (State.PENDING, None)


@pytest.mark.parametrize("pk", ["9" * 30, "999"])
def test_an_unknown_video_is_not_found(pk: str, staff: Client) -> None:
    for path in ("move", "poster", "captions"):
        assert staff.post(f"{LIST}{pk}/{path}", {"to": "process"}).status_code == 404


def test_an_unknown_move_is_not_found_and_get_moves_nothing(staff: Client, owner: User) -> None:
    move = f"{LIST}{make_video(owner).pk}/move"
    assert staff.post(move, {"to": "the moon"}).status_code == 404
    assert staff.get(move).status_code == 405


def test_another_poster_is_chosen_and_then_reset(staff: Client, owner: User) -> None:
    video = make_playable(owner)
    assert told(staff, f"{LIST}{video.pk}/poster", {"number": "3"}) == ["The poster is changed."]
    video.refresh_from_db()
    assert video.poster == "v1/poster_3.jpg"
    told(staff, f"{LIST}{video.pk}/poster", {})
    video.refresh_from_db()
    assert video.poster == "v1/poster.jpg"


def test_an_uploaded_picture_becomes_the_poster(staff: Client, owner: User) -> None:
    video = make_playable(owner)
    picture = SimpleUploadedFile("mine.png", make_picture(), content_type="image/png")
    assert told(staff, f"{LIST}{video.pk}/poster", {"file": picture}) == ["Your picture is the poster."]
    assert "Yours, in use" in shown(staff, video)


@pytest.mark.parametrize(
    "form", [{"number": "4"}, {"number": "0"}, {"number": "abc"}, {"number": "9" * 30}, {"file": b"no picture at all"}]
)
def test_an_unusable_poster_is_refused_with_a_sentence(form: dict[str, Any], staff: Client, owner: User) -> None:
    video = make_playable(owner)
    sent = {name: SimpleUploadedFile("a.png", value) if name == "file" else value for name, value in form.items()}
    (said,) = told(staff, f"{LIST}{video.pk}/poster", sent)
    assert said.endswith(".")
    video.refresh_from_db()
    assert video.poster == "v1/poster.jpg"


def test_captions_are_added_and_removed(staff: Client, owner: User) -> None:
    video = make_playable(owner)
    form = {"language": "pt-br", "label": "", "file": SimpleUploadedFile("a.vtt", CUES)}
    assert told(staff, f"{LIST}{video.pk}/captions", form) == ["The captions are added."]
    caption = Caption.objects.get()
    assert (caption.language, caption.is_uploaded) == ("pt-BR", True)
    assert told(staff, f"{LIST}{video.pk}/captions", {"remove": "pt-BR"}) == ["The captions are removed."]
    assert not Caption.objects.exists()


@pytest.mark.parametrize(
    "form",
    [
        {"language": "de"},
        {"language": "", "file": SimpleUploadedFile("a.vtt", CUES)},
        {"language": "klingon language", "file": SimpleUploadedFile("a.vtt", CUES)},
        {"language": "de", "file": SimpleUploadedFile("a.vtt", b"nothing is said")},
        {"language": "de", "file": SimpleUploadedFile("a.vtt", b"\0" * (captions.MAX_MB * 1024 * 1024 + 1))},
        {"remove": "xx"},
        {"remove": "\0"},
    ],
)
def test_unusable_captions_are_refused_with_a_sentence(form: dict[str, Any], staff: Client, owner: User) -> None:
    video = make_playable(owner)
    (said,) = told(staff, f"{LIST}{video.pk}/captions", form)
    assert said.endswith(".")
    assert not Caption.objects.exists()
