"""What workers run: each job takes an id, asks one service, and may safely run twice."""

from content_app.services import discards, encoding, processing


def process_video(video_id: int) -> None:
    """Leaves quietly when the video is gone, done, or in another worker's hands."""
    claim = processing.claim(video_id=video_id)
    if claim:
        encoding.run_claim(claim=claim)


def remove_discards() -> None:
    discards.remove_due()
