"""What workers run: each job takes an id, asks one service, and may safely run twice."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from background.queue import told_where_it_comes_from
from content_app import queue
from content_app.services.processing import encoding, lifecycle, preflight
from content_app.services.storage import discards
from content_app.services.uploads import checks

MOST_DISCARDS = 50  # in one job: a second or two


@told_where_it_comes_from
def process_video(video_id: int) -> None:
    """Leaves quietly when the video is gone, done, or in another worker's hands."""
    claim = lifecycle.claim(video_id=video_id)
    if claim:
        with handed_back_on_sigterm():
            encoding.run_claim(claim=claim)


@told_where_it_comes_from
def inspect_video(video_id: int) -> None:
    """Leaves quietly when the video is gone, known, or in a worker's hands."""
    preflight.inspect(video_id=video_id)


@told_where_it_comes_from
def check_upload(upload_id: int) -> None:
    """Leaves quietly when the upload is gone, settled, or in another worker's hands."""
    checks.check(upload_id=upload_id)


@told_where_it_comes_from
def remove_discards() -> None:
    """Some of them; the rest goes behind the mails that wait meanwhile."""
    if discards.remove_due(most=MOST_DISCARDS) == MOST_DISCARDS:
        queue.enqueue_cleanup()


@contextmanager
def handed_back_on_sigterm() -> Iterator[None]:
    """In a work-horse, which RQ leaves to die of SIGTERM; a worker that runs jobs itself has a handler of its own."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, raise_asked_to_end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def raise_asked_to_end(*_: object) -> None:
    raise encoding.AskedToEnd
