"""`manage.py doctor`: proves that everything the platform needs is there, one line each; exit status 1 if not."""

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from content_app.services import checkup


class Command(BaseCommand):
    help = "Tries out database, Redis, workers, ffmpeg, folders and storage; says what is wrong and how to mend it."

    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        logging.disable(logging.WARNING)  # the lines below say it better
        count = 0
        for finding in checkup.examine():
            self.stdout.write(str(finding), None if finding.is_fine else self.style.ERROR)
            self.stdout.flush()
            count += not finding.is_fine
        if count:
            raise CommandError("One thing is wrong." if count == 1 else f"{count} things are wrong.")
        self.stdout.write("Everything is fine.")
