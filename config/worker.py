"""The RQ worker of the platform: ends soon when it is asked to, and leaves no work-horse behind when it is killed."""

import ctypes
import os
import signal
from contextlib import suppress

from rq import Queue, Worker
from rq.job import Job

from media_pipeline.ffmpeg.launch import die_with_parent


class PromptWorker(Worker):
    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """RQ's own outlives a worker that is killed: then nobody watches its time limit or counts it any more."""
        assert self.pid, "set for every worker that works"
        die_with_parent(ctypes.CDLL(None), self.pid)
        super().main_work_horse(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        """RQ's own waits for the job, which may be a film of hours: this one lets the job hand it back."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ annotates only some
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)
