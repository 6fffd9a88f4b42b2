"""`manage.py reaper`: cleans up after dead workers and lost jobs, by running the chores of all apps."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from background.chores import PATIENCE_S, Housekeeping, chores, reap


class Command(BaseCommand):
    help = "Looks for expired claims, lost jobs and objects to remove, every few seconds, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            if failing := reap().failing:
                raise CommandError(f"These chores failed, see the log: {', '.join(failing)}.")
            return
        asked_to_end = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: asked_to_end.set())
        keeping = Housekeeping(chores, interval_s=settings.REAPER_INTERVAL_SECONDS, patience_s=PATIENCE_S)
        while not asked_to_end.is_set():
            keeping.run_round()
            asked_to_end.wait(settings.REAPER_INTERVAL_SECONDS)
