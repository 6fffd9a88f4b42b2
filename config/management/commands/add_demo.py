"""`manage.py add_demo`: a first film, so that there is something to watch."""

import time
import uuid
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError

from config.env_file import BASE_DIR
from content_app.models import Category, Video
from content_app.services import videos
from content_app.states import State
from users_app.models import User
from users_app.roles import Role

PUBLIC_ID = uuid.UUID("b1b2c3d4-0000-4000-8000-b16b0cb0bb17")
CLIP = BASE_DIR / "demo" / "big-buck-bunny.mp4"
TITLE = "Big Buck Bunny"
DESCRIPTION = (
    "The first ten seconds of a bird's quiet morning. An excerpt of the film by the Blender Foundation, © 2008, "
    "www.bigbuckbunny.org, licensed under Creative Commons Attribution 3.0."
)
POLL_S = 0.5


class Command(BaseCommand):
    help = "Adds the demo film to an empty catalogue, once; one that was deleted stays deleted."

    # Workers and reaper check the system when they start; here it would cost every start half a second.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--follow", action="store_true", help="wait until it can be watched, and say so")

    def handle(self, *, follow: bool, **options: Any) -> None:
        if not Video.objects.exists():
            add_demo()
        if follow:
            self.follow()

    def follow(self) -> None:
        """Nothing to say about a film that was ready before, or is gone."""
        has_waited = False
        while (video := find_demo()) and video.state in {State.PENDING, State.PROCESSING}:
            has_waited = True
            time.sleep(POLL_S)
        if video and video.state == State.ERROR:
            raise CommandError(f"The demo could not be processed: {video.error_message}")
        if video and has_waited:
            self.stdout.write(f"The demo is ready to watch: {settings.BACKEND_ORIGIN}/watch/{PUBLIC_ID}/")


def find_demo() -> Video | None:
    return Video.objects.filter(public_id=PUBLIC_ID, deleted_at=None).first()


def add_demo() -> None:
    owner = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk").first()
    if owner is None:
        raise CommandError("There is no admin to own the demo: run `manage.py bootstrap` first.")
    fields = {
        "public_id": PUBLIC_ID,
        "title": TITLE,
        "description": DESCRIPTION,
        "category": Category.objects.filter(name="Animation").first(),
    }
    with CLIP.open("rb") as file:
        upload = UploadedFile(file, name=CLIP.name, size=CLIP.stat().st_size)
        videos.create(owner=owner, fields=fields, upload=upload)
