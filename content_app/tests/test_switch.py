"""A process is killed before any statement of a move: the database has the whole move afterwards, or nothing of it."""

import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from content_app.models import ORIGINAL_FIELDS, Caption, Chunk, DirectUpload, Discard, Rendition, Run, Version, Video
from content_app.services.catalogue import videos
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Findings, Original
from content_app.services.uploads import checks
from content_app.tests.factories import make_upload
from content_app.tests.test_processing import claimed, expire, published, run_of
from media_pipeline.errors import NotAVideo
from users_app.models import AuditEntry, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("memory_queue")]

TABLES = (Video, Run, Chunk, Version, Rendition, Caption, DirectUpload, Discard, AuditEntry)


def rows() -> list[list[str]]:
    """All rows of the tables that a move may write to."""
    return [sorted(map(str, table._base_manager.values_list())) for table in TABLES]


def is_killed(move: Callable[[], object], *, before: int) -> bool:
    """Makes the move in a child process that is killed before its n-th statement. Returns whether it came that far.

    BEGIN and COMMIT count as statements.
    """
    # The child shares nothing with the server, and with SQLite's locks, that belongs to this process.
    connection.close()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            kill_before(before)
            move()
            status = 0
        except BaseException:  # noqa: BLE001 - nothing of the child may return into pytest
            traceback.print_exc()
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        assert os.WTERMSIG(ended) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(ended) == 0, "the move failed by itself"
    return False


def kill_before(number: int) -> None:
    """Has this process killed before its n-th statement from now on."""
    statements = 0

    def count() -> None:
        nonlocal statements
        statements += 1
        if statements == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def execute(go_on: Any, *statement: Any) -> Any:
        count()
        return go_on(*statement)

    def commit() -> None:
        count()
        commit_of_django()

    commit_of_django = connection.commit  # Django sends COMMIT past the wrappers
    connection.commit = commit  # type: ignore[method-assign]
    connection.execute_wrappers.append(execute)


# --- what a film is before the move ----------------------------------------------------------------------------------


@pytest.fixture
def film(owner: User) -> Video:
    """A film that plays."""
    film = videos.create(owner=owner, fields={"title": "Good"}, upload=make_upload("good.mp4"))
    lifecycle.mark_ready(run=claimed(film), published=published(languages=("de", "fr")))
    return Video.objects.get()


def plays(film: Video) -> None:
    pass


def has_another_file(film: Video) -> None:
    """It waits for a worker."""
    save(film)


def has_a_worker(film: Video) -> None:
    has_another_file(film)
    lifecycle.take_chunk(run=claimed(film), segments=3)


def has_an_upload(film: Video) -> None:
    """It arrived in the bucket, and is being checked."""
    now = timezone.now()
    DirectUpload.objects.create(
        owner=film.owner, video=film, key="originals/direct.mp4", name="direct.mp4", expires_at=now, arrived_at=now
    )
    assert DirectUpload.objects.all().take()


# --- moves -----------------------------------------------------------------------------------------------------------

FINE = Findings({"verdict": "fine"}, report={"streams": []}, settings={"rungs": []})


def save(film: Video) -> None:
    videos.take_upload(video=film, upload=make_upload("better.mp4"))
    videos.save(video=film, changed=ORIGINAL_FIELDS)


def accept(film: Video) -> None:
    third = Original("originals/third.mp4", "third.mp4", 3)
    assert lifecycle.accept_original(video_id=film.pk, original=third)


def retry(film: Video) -> None:
    assert lifecycle.retry(video_id=film.pk)


def refuse(film: Video) -> None:
    assert lifecycle.refuse(run=run_of(film), error=NotAVideo(), verdict={"verdict": "refused"})


def claim(film: Video) -> None:
    claimed(film)


def publish(film: Video) -> None:
    lifecycle.mark_ready(run=run_of(film), published=published("v2", languages=("de", "en")))


def fail(film: Video) -> None:
    lifecycle.mark_failed(run=run_of(film), error=NotAVideo())


def hand_back(film: Video) -> None:
    lifecycle.hand_back(run=run_of(film))


def use_upload(film: Video) -> None:
    checks.use_as_film(DirectUpload.objects.get(), 3, FINE)


def refuse_upload(film: Video) -> None:
    checks.refuse_film(DirectUpload.objects.get(), NotAVideo(), FINE)


def delete(film: Video) -> None:
    Video.objects.get().delete()


Step = Callable[[Video], None]


@pytest.mark.parametrize(
    ("prepare", "move"),
    [
        (plays, save),
        (plays, accept),
        (plays, retry),
        (has_another_file, accept),
        (has_another_file, claim),
        (has_another_file, refuse),
        (has_a_worker, accept),
        (has_a_worker, publish),
        (has_a_worker, fail),
        (has_a_worker, hand_back),
        (has_a_worker, delete),
        (has_an_upload, use_upload),
        (has_an_upload, refuse_upload),
    ],
)
def test_a_move_is_made_wholly_or_not_at_all(prepare: Step, move: Step, film: Video) -> None:
    prepare(film)
    before, killed = rows(), 0
    while is_killed(lambda: move(film), before=killed + 1):
        killed += 1
        assert rows() == before, f"killed before statement {killed}"
    assert rows() != before
    assert killed >= 4, "the walk has met the statements of the move"


def test_a_reaper_that_is_killed_leaves_the_run_to_the_next_round(film: Video) -> None:
    has_a_worker(film)
    killed = 0
    expire(film)
    while is_killed(lifecycle.take_back_expired, before=killed + 1):
        killed += 1
        # It may have taken the lease, which then ends like that of any other worker.
        expire(film)
        assert lifecycle.take_back_expired() == 1
        assert lifecycle.waiting_ids() == [film.pk]
        claimed(film)
        Run.objects.update(attempts=1)
        expire(film)
    assert lifecycle.waiting_ids() == [film.pk]
    assert killed >= 4, "the walk has met the statements of the move"
