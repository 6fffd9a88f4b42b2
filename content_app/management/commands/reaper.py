"""`manage.py reaper`: finds what dead workers and lost jobs left behind."""

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils import timezone

from content_app.models import ReaperRound
from content_app.services.reaping import reap

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Looks for expired claims, lost jobs and objects to remove, every few seconds until it is ended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            reap()
            note_round()
            return
        asked_to_end = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: asked_to_end.set())
        while not asked_to_end.is_set():
            reap_patiently()
            asked_to_end.wait(settings.REAPER_INTERVAL_SECONDS)


def note_round() -> None:
    ReaperRound.objects.update_or_create(pk=1, defaults={"ended_at": timezone.now()})


def reap_patiently() -> None:
    """A database or a disk that is away for a moment ends the round, not the reaper."""
    try:
        close_old_connections()
        reap()
        note_round()
    except (DatabaseError, OSError) as error:
        log.warning("this round was cut short: %s", error)
