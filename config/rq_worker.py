"""The RQ worker of the platform: it ends soon when it gets SIGTERM, and no job outlives it when it is killed."""

import ctypes
import os
import signal
from contextlib import suppress

from rq import Queue, Worker
from rq.job import Job

from media_pipeline.ffmpeg.launch import die_with_parent


class PromptWorker(Worker):
    def main_work_horse(self, job: Job, queue: Queue) -> None:
        assert self.pid, "set for every worker that works"
        # RQ's own work-horse outlives a killed worker, and then no process enforces its time limit or counts it.
        die_with_parent(ctypes.CDLL(None), self.pid)
        super().main_work_horse(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ annotates only some
        # RQ would wait for the job, which may be a film of hours. On SIGTERM the job hands its film back.
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)
