"""What happens to a version when its worker stops."""

import pytest

from content_app.models import Discard, Run, Version
from content_app.services.processing import encoding, lifecycle
from content_app.services.processing.encoding import WorkerStopping
from content_app.services.processing.lifecycle import Published
from content_app.states import RunState, State
from content_app.tests.factories import make_playable, make_run, make_video
from users_app.models import User

pytestmark = pytest.mark.usefixtures("enqueued")


def test_a_worker_stopped_right_after_publishing_keeps_its_version(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(owner, state=State.PENDING)

    def switch_and_be_asked(run: Run, folder: str, *_: object) -> None:
        lifecycle.mark_ready(run=run, published=Published(Version(folder=folder), renditions=[], captions=[]))
        raise WorkerStopping

    monkeypatch.setattr(encoding, "make_and_publish", switch_and_be_asked)
    run = lifecycle.claim(video_id=video.pk)
    assert run
    encoding.make_version(run=run)
    video.refresh_from_db()
    assert (video.state, video.is_playable) == (State.READY, True)
    assert not Discard.objects.exists()


def test_an_unpublished_version_is_discarded(owner: User) -> None:
    video = make_playable(owner, folder="v1")
    encoding.discard_version(make_run(video, RunState.RUNNING), "v2")
    assert [row.prefix for row in Discard.objects.all()] == [f"videos/{video.public_id}/v2"]
