"""`manage.py rqworker`: django_rq's command, which without arguments serves every queue."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django_rq.management.commands import rqworker

from media_pipeline.ffmpeg.locate import NoFfmpeg, find_ffmpeg
from media_pipeline.ffmpeg.sandbox import SandboxMissing

WORKER_CLASS = "config.rq_worker.PromptWorker"


class Command(rqworker.Command):
    help = "Runs one RQ worker; without arguments it serves every queue."

    def handle(self, *queues: str, **options: Any) -> None:
        # Checking ffmpeg takes a third of a second: done once here, and inherited by the process of every job. Each job
        # reports a missing one itself.
        with suppress(NoFfmpeg, SandboxMissing):
            find_ffmpeg(settings.FFMPEG_BIN)
        options["worker_class"] = options["worker_class"] or WORKER_CLASS
        super().handle(*(queues or settings.RQ_QUEUES), **options)  # type: ignore[no-untyped-call]  # not annotated
