"""`manage.py wait_for_services`: waits until database and Redis answer, for containers that start in any order."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from config.health import is_database_up
from content_app import queue

PAUSE_S = 0.5


class Command(BaseCommand):
    help = "Waits until the database and Redis answer, with --migrated also until the database is up to date."

    requires_system_checks = ("videoflix",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=float, default=60, metavar="SECONDS")
        parser.add_argument("--migrated", action="store_true", help="wait until the database is migrated, too")

    def handle(self, *, limit: float, migrated: bool, **options: Any) -> None:
        self.end = time.monotonic() + limit
        self.wait("The database does not answer: see that it runs, and check DB_HOST or DATABASE_URL.", is_database_up)
        self.wait("Redis does not answer: see that it runs, and check REDIS_URL or REDIS_HOST.", queue.ping)
        if migrated:
            self.wait("The database is not up to date: see why `manage.py bootstrap --migrate` fails.", is_migrated)

    def wait(self, sentence: str, is_there: Callable[[], bool]) -> None:
        while not is_there():
            if time.monotonic() >= self.end:
                raise CommandError(sentence)
            time.sleep(PAUSE_S)


def is_migrated() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        connection.close()
        return False
