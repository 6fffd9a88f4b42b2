"""`manage.py doctor`: checks everything that the platform needs, one line each; exit status 1 if something is wrong."""

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from content_app.services import checkup
from media_pipeline.findings import Finding


class Command(BaseCommand):
    help = "Checks database, Redis, workers, ffmpeg, folders and storage; says what is wrong and how to fix it."

    requires_system_checks = ("videoflix",)

    def handle(self, **options: Any) -> None:
        logging.disable(logging.WARNING)  # the findings say the same in plain words
        try:
            count = sum(not self.show(finding) for finding in checkup.run_checks())
        finally:
            logging.disable(logging.NOTSET)
        if count:
            raise CommandError("One thing is wrong." if count == 1 else f"{count} things are wrong.")
        self.stdout.write("Everything is fine.")

    def show(self, finding: Finding) -> bool:
        self.stdout.write(str(finding), None if finding.is_fine else self.style.ERROR)
        self.stdout.flush()
        return finding.is_fine
