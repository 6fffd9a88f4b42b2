"""What happens to a version when its worker stops."""

import uuid

import pytest

from content_app.models import Discard, Video
from content_app.services.processing import encoding, lifecycle
from content_app.services.processing.encoding import WorkerStopping
from content_app.services.processing.lifecycle import Claim
from content_app.states import State
from content_app.tests.factories import make_playable, make_video
from users_app.models import User

pytestmark = pytest.mark.usefixtures("enqueued")


def claim_of(video: Video) -> Claim:
    return Claim(video.pk, uuid.uuid4(), video.public_id, "", "", 1)


def test_a_worker_stopped_right_after_publishing_keeps_its_version(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(owner, state=State.PENDING)

    def switch_and_be_asked(claim: Claim, version: str, *_: object) -> None:
        Video.objects.filter(pk=claim.video_id).update(state=State.READY, version=version)
        raise WorkerStopping

    monkeypatch.setattr(encoding, "make_and_publish", switch_and_be_asked)
    claim = lifecycle.claim(video_id=video.pk)
    assert claim
    encoding.run_claim(claim=claim)
    video.refresh_from_db()
    assert video.is_playable
    assert not Discard.objects.exists()


def test_an_unpublished_version_is_discarded(owner: User) -> None:
    video = make_playable(owner, version="v1")
    encoding.discard_version(claim_of(video), "v2")
    assert [row.prefix for row in Discard.objects.all()] == [f"videos/{video.public_id}/v2"]
