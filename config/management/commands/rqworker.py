"""`manage.py rqworker`: django_rq's command, which without arguments serves every queue."""

from typing import Any

from django.conf import settings
from django_rq.management.commands import rqworker

WORKER_CLASS = "config.worker.PromptWorker"


class Command(rqworker.Command):
    help = "Runs one RQ worker; without arguments it serves every queue."

    def handle(self, *queues: str, **options: Any) -> None:
        options["worker_class"] = options["worker_class"] or WORKER_CLASS
        super().handle(*(queues or settings.RQ_QUEUES), **options)  # type: ignore[no-untyped-call]  # not annotated
