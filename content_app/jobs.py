"""The jobs that workers run. Each takes an id, calls one service, and may safely run twice."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from background.queue import logged_with_its_origin
from content_app import queue
from content_app.services.processing import encoding, lifecycle, preflight
from content_app.services.storage import discards
from content_app.services.uploads import checks

MAX_DISCARDS = 50  # per job, which takes a second or two


@logged_with_its_origin
def process_video(video_id: int) -> None:
    """Does nothing when the video is gone, done, or claimed by another worker."""
    run = lifecycle.claim(video_id=video_id)
    if run:
        with sigterm_as_exception():
            encoding.make_version(run=run)


@logged_with_its_origin
def inspect_video(video_id: int) -> None:
    """Does nothing when the video is gone, has been inspected, or is claimed by a worker."""
    preflight.inspect(video_id=video_id)


@logged_with_its_origin
def check_upload(upload_id: int) -> None:
    """Does nothing when the upload is gone, settled, or claimed by another worker."""
    checks.check(upload_id=upload_id)


@logged_with_its_origin
def remove_discards() -> None:
    """Removes up to MAX_DISCARDS prefixes, and enqueues itself again while there are more."""
    if discards.remove_due(max_rows=MAX_DISCARDS) == MAX_DISCARDS:
        # A new job, so that mails which wait on the same queue are sent first.
        queue.enqueue_cleanup()


@contextmanager
def sigterm_as_exception() -> Iterator[None]:
    """Turns SIGTERM into WorkerStopping inside the block, so that the video is handed back before the process ends."""
    # RQ leaves the default action in the process that it forks for a job. A worker that runs jobs in its own process
    # has a handler already, which waits for the job.
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def stop(*_: object) -> None:
        raise encoding.WorkerStopping

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
