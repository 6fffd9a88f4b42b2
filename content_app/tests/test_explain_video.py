"""`manage.py explain_video`, with stored videos and with files, as text and as JSON."""

import errno
import json
import os
import shlex
import subprocess
import uuid
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.management.base import CommandError

from content_app.models import Run, Video
from content_app.tests.factories import make_video
from tests.clips import Clip, make_clip
from users_app.models import User

pytestmark = [pytest.mark.usefixtures("enqueued"), pytest.mark.django_db]
TINY = Clip(size="64x48", rate="10", duration_s=1, sound="")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("it's here"), TINY)


@pytest.fixture
def stored(owner: User, tiny: Path) -> Video:
    video = Video(owner=owner, title="Tiny")
    video.video_file = ContentFile(tiny.read_bytes(), name="tiny.mp4")
    video.save()
    return video


def explain(*arguments: str) -> str:
    out = StringIO()
    call_command("explain_video", *arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        explain(*arguments)
    assert refused.value.returncode == 1
    return str(refused.value)


def test_a_stored_video_is_explained_by_either_id(stored: Video) -> None:
    text = explain(str(stored.pk))
    assert text == explain(str(stored.public_id))
    headings = [line for line in text.splitlines() if line and not line.startswith((" ", "mkdir", "/"))]
    assert headings == ["Found", "Planned", "Why", "Warnings", "Cost"]
    assert "  Picture    H.264, 64×48, 10 frames a second\n" in text
    assert "- At 64×48 the picture is smaller than every quality: it keeps its size and is called 120p.\n" in text
    assert "- The film has no sound.\n" in text


def test_the_command_is_printed_when_it_is_asked_for(stored: Video) -> None:
    without, asked = explain(str(stored.pk)), explain(str(stored.pk), "--command")
    assert "ffmpeg" not in without
    assert asked.startswith(without)
    assert (stored.video_file.name or "?") in asked.removeprefix(without).partition("\nCommand\n")[2]


def test_the_command_can_be_pasted_into_a_shell(tiny: Path, tmp_path: Path) -> None:
    script = explain(str(tiny), "--command").partition("\nCommand\n")[2]
    subprocess.run(["sh", "-euc", script], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert (tmp_path / "work" / "120p.video.mp4").stat().st_size > 0
    assert shlex.split(script)[:3] == ["mkdir", "-p", "work"]


def test_programs_get_json(stored: Video, tiny: Path) -> None:
    told = json.loads(explain(str(stored.pk), "--json"))
    assert (told["verdict"], told["found"]["width"], told["planned"]["frames"]) == ("warnings", 64, 10)
    assert told["command"] != json.loads(explain(str(tiny), "--json"))["command"], "each command has its own path"


def test_explaining_changes_nothing(stored: Video) -> None:
    before = [table.objects.values().get() for table in (Video, Run)]
    explain(str(stored.pk))
    assert [table.objects.values().get() for table in (Video, Run)] == before


def test_a_file_that_cannot_become_a_film_is_refused_with_code_and_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("no film")
    said = refusal(str(letter))
    assert said == "not_a_video: This file is not a video that can be read."
    out = StringIO()
    with pytest.raises(CommandError, match="not_a_video"):
        call_command("explain_video", str(letter), "--json", stdout=out)
    assert json.loads(out.getvalue())["verdict"] == "refused"


def test_a_missing_file_is_reported_in_a_sentence(owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fifo = tmp_path / "pipe.mp4"
    os.mkfifo(fifo)
    nobody = str(uuid.uuid4())
    without_file = make_video(owner)
    said = {
        "12345": "There is no video 12345. For a file of that name, write ./12345.",
        nobody: f"There is no video {nobody}. For a file of that name, write ./{nobody}.",
        str(without_file.pk): f"Video {without_file.pk} has no file yet.",
        "./12345": f"{tmp_path}/12345 does not exist.",
        "gone.mp4": f"{tmp_path}/gone.mp4 does not exist.",
        str(tmp_path): f"{tmp_path} is not a file.",
        str(fifo): f"{fifo} is not a file.",
        "": f"{tmp_path} is not a file.",
        "9" * 40: f"{tmp_path}/{'9' * 40} does not exist.",
        "x" * 5000: f"{'x' * 5000} cannot be read: File name too long.",
    }
    for argument, sentence in said.items():
        assert refusal(argument) == sentence


def test_an_original_that_the_storage_lost_is_reported(stored: Video, settings: pytest.FixtureRequest) -> None:
    path = Path(settings.MEDIA_ROOT, stored.video_file.name or "?")  # type: ignore[attr-defined]  # pytest-django's
    path.unlink()
    assert refusal(str(stored.pk)) == f"{path} does not exist."


def test_a_file_that_may_not_be_read_is_reported(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, who may read every file
    assert refusal(str(tiny)) == f"{tiny} cannot be read: Permission denied."
