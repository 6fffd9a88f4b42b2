"""Uploads are examined while no worker is free to encode them."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.client import Client
from tests.services import Platform, wait_for


@pytest.fixture
def busy(own_platform: Platform) -> Client:
    """The admin of a platform whose only worker serves the queue of short jobs."""
    own_platform.start_redis()
    own_platform.prepare()
    own_platform.start_web()
    own_platform.start("errands", sys.executable, "manage.py", "rqworker", "default")
    return own_platform.sign_in()


def verdict(client: Client, video_id: int) -> dict[str, Any]:
    def known() -> dict[str, Any] | None:
        answer: dict[str, Any] = client.get(f"/api/v1/videos/{video_id}/preflight/").json()
        return answer if answer["verdict"] != "waiting" else None

    told = wait_for(known, what=f"the verdict on video {video_id}")
    assert told is not None
    return told


def test_a_film_gets_its_verdict_and_waits_and_a_text_fails_at_once(
    busy: Client, own_platform: Platform, clip: Path, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("This is no film.")
    film, none = (busy.upload(path, title=path.stem).json()["id"] for path in (clip, letter))
    told = verdict(busy, film)
    assert (told["verdict"], told["found"]["width"], told["found"]["frame_rate"]) == ("fine", 640, "24000/1001")
    assert "file:source" in told["command"]
    assert busy.get(f"/content/{film}/").json()["processing_state"] == "pending"
    assert (verdict(busy, none)["verdict"], verdict(busy, none)["code"]) == ("refused", "not_a_video")
    assert busy.get(f"/content/{none}/").json()["processing_state"] == "error"
    wait_for(lambda: not list((own_platform.folder / "work").iterdir()), what="an empty work folder")
