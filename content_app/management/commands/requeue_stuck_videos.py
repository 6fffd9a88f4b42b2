"""`manage.py requeue_stuck_videos`: looks once for lost work, and prints how much it found."""

from typing import Any

from django.core.management.base import BaseCommand

from content_app.services.processing.backlog import enqueue_waiting
from content_app.services.processing.lifecycle import take_back_expired


class Command(BaseCommand):
    help = "Takes videos back from dead workers, and enqueues every waiting video that has no job."

    def handle(self, *args: Any, **options: Any) -> None:
        taken_back = take_back_expired()
        enqueued = enqueue_waiting()
        self.stdout.write(f"{taken_back} video(s) taken back, {enqueued} enqueued.")
