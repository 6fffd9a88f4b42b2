"""`manage.py add_demo`: the first films of an empty catalogue, so that there is something to watch."""

import time
import uuid
from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError

from config.env_file import BASE_DIR
from content_app.models import Category, Video
from content_app.services.catalogue import videos
from content_app.states import State
from users_app.models import User
from users_app.roles import Role

PUBLIC_ID = uuid.UUID("b1b2c3d4-0000-4000-8000-b16b0cb0bb17")
FOLDER = BASE_DIR / "demo"
ATTRIBUTION = (
    "An excerpt of the film Big Buck Bunny by the Blender Foundation, © 2008, www.bigbuckbunny.org, licensed under "
    "Creative Commons Attribution 3.0."
)
UNDER_WAY = (State.PENDING, State.PROCESSING)
POLL_S = 0.5


@dataclass(frozen=True)
class Demo:
    """One clip of the demo; `name` is that of its file."""

    public_id: uuid.UUID
    name: str
    title: str
    about: str
    category: str

    @property
    def clip(self) -> Path:
        return FOLDER / self.name


FIRST = Demo(
    PUBLIC_ID,
    "big-buck-bunny.mp4",
    "Big Buck Bunny",
    "The first ten seconds of a bird's quiet morning.",
    "Animation",
)
OTHERS = (
    Demo(
        uuid.UUID("b1b2c3d4-0000-4000-8000-b16b0cb0bb18"),
        "the-burrow.mp4",
        "The Burrow",
        "Below the old tree there is a burrow. With captions in English and German that say what is heard, and a "
        "second soundtrack: the same sound, softened, as the German one.",
        "Animation",
    ),
    Demo(
        uuid.UUID("b1b2c3d4-0000-4000-8000-b16b0cb0bb19"),
        "a-meadow-in-the-morning.mp4",
        "A Meadow in the Morning",
        "Pink clouds above a meadow, and the camera comes down to the grass.",
        "Family",
    ),
    Demo(
        uuid.UUID("b1b2c3d4-0000-4000-8000-b16b0cb0bb20"),
        "a-word-from-the-bird.mp4",
        "A Word from the Bird",
        "It sits on its branch and has something to say.",
        "Family",
    ),
)


class Command(BaseCommand):
    help = "Adds the demo films to an empty catalogue, once; one that was deleted stays deleted."

    # The settings alone: the other checks, which workers and the reaper run, would cost every start half a second.
    requires_system_checks = ("videoflix",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--follow", action="store_true", help="wait until the first can be watched, and say so")

    def handle(self, *, follow: bool, **options: Any) -> None:
        if not Video.objects.exists():
            add_film(FIRST)
            is_begun = True
        else:
            is_begun = is_interrupted()
        if follow:
            self.follow()
        # Only now, so that the first film has all processors of the machine to itself.
        if is_begun:
            add_others()

    def follow(self) -> None:
        """Waits for the first film and says where to watch it; silent when it was ready before, or was deleted."""
        has_waited = False
        while (video := find_demo()) and video.state in UNDER_WAY:
            has_waited = True
            time.sleep(POLL_S)
        if video and video.state == State.ERROR:
            reason = video.run.error_message if video.run else ""
            raise CommandError(f"The demo could not be processed: {reason}")
        if video and has_waited:
            self.stdout.write(f"The demo is ready to watch: {settings.BACKEND_ORIGIN}/watch/{PUBLIC_ID}/")


def find_demo() -> Video | None:
    return Video.objects.filter(public_id=PUBLIC_ID, deleted_at=None).first()


def is_interrupted() -> bool:
    """True when an earlier run ended while the first film was processed, before the others were added.

    Once they have been added, a missing one was deleted and must not come back.
    """
    first = find_demo()
    return first is not None and first.state in UNDER_WAY and not Video.objects.exclude(pk=first.pk).exists()


def add_others() -> None:
    """Adds the other films, dated before the first one, so that it stays the newest of the catalogue."""
    first = find_demo()
    if first is None:  # the admin deleted it while it was processed, and so does not want the demo
        return
    for number, demo in enumerate(OTHERS, 1):
        add_film(demo, created_at=first.created_at - timedelta(minutes=number))


def add_film(demo: Demo, **fields: Any) -> None:
    owner = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk").first()
    if owner is None:
        raise CommandError("There is no admin to own the demo: run `manage.py bootstrap` first.")
    about = {
        "public_id": demo.public_id,
        "title": demo.title,
        "description": f"{demo.about} {ATTRIBUTION}",
        "category": Category.objects.filter(name=demo.category).first(),
    }
    with demo.clip.open("rb") as file:
        upload = UploadedFile(file, name=demo.name, size=demo.clip.stat().st_size)
        videos.create(owner=owner, fields={**about, **fields}, upload=upload)
