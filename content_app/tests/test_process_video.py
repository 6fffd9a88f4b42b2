"""`manage.py process_video`: a file becomes a film, or is refused in a sentence and leaves nothing."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from content_app.models import Discard, Video
from content_app.services.processing import encoding
from content_app.states import State
from content_app.tests.factories import make_category, original_files
from media_pipeline.errors import Truncated
from tests.clips import Clip, make_clip
from users_app.models import User

pytestmark = [pytest.mark.usefixtures("enqueued"), pytest.mark.django_db]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("tiny"), Clip(size="64x48", rate="10", duration_s=1, sound=""), "tiny")


def process(*arguments: str) -> str:
    out = StringIO()
    call_command("process_video", *arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        process(*arguments)
    assert refused.value.returncode == 1
    return str(refused.value)


def assert_nothing_is_left() -> None:
    assert not Video.objects.exists()
    assert not Discard.objects.exists()
    assert original_files() == []


def test_a_film_has_the_given_fields_and_its_address_is_printed(tiny: Path, admin: User, settings: Any) -> None:
    settings.BACKEND_ORIGIN = "http://localhost:8010"
    category = make_category("Family")
    said = process(
        str(tiny), "--title", "Tiny", "--description", "Small.", "--category", "family", "--visibility", "unlisted"
    )
    video = Video.objects.get()
    assert (video.title, video.description, video.category) == ("Tiny", "Small.", category)
    assert (video.visibility, video.owner, video.state) == ("UNLISTED", admin, State.READY)
    assert said.endswith(f"Watch it at http://localhost:8010/watch/{video.public_id}/\n")


def test_a_file_that_is_no_film_leaves_nothing(tmp_path: Path, admin: User) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("no film")
    assert refusal(str(letter)) == "not_a_video: This file is not a video that can be read."
    assert_nothing_is_left()


def test_a_film_that_fails_while_processing_leaves_nothing(
    tiny: Path, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise Truncated

    monkeypatch.setattr(encoding, "make_and_publish", fail)
    assert refusal(str(tiny)).startswith("truncated: ")
    assert_nothing_is_left()


def test_missing_things_are_reported_and_nothing_is_added(tiny: Path, tmp_path: Path, admin: User) -> None:
    make_category("Family")
    assert refusal(str(tmp_path / "gone.mp4")) == f"{tmp_path}/gone.mp4 does not exist."
    assert refusal(str(tmp_path)) == f"{tmp_path} is not a file."
    assert refusal(str(tiny), "--category", "Nowhere") == "There is no category Nowhere. These exist: Family."
    assert refusal(str(tiny), "--owner", "no@example.com") == "No user has the address no@example.com."
    with pytest.raises(CommandError, match="invalid choice"):
        process(str(tiny), "--visibility", "secret")
    assert_nothing_is_left()
