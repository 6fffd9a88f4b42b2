"""`manage.py process_video film.mp4`: adds a file and processes it here, with a progress bar."""

import logging
import shutil
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from content_app.management.commands.explain_video import explain_file, readable_file
from content_app.models import MAX_FILE_NAME_LENGTH, MAX_TITLE_LENGTH, Category, Video
from content_app.services.catalogue import videos
from content_app.services.processing import encoding, lifecycle
from content_app.services.storage import discards
from content_app.states import State, Visibility
from media_pipeline.errors import PipelineError, StorageUnavailable
from users_app.models import User
from users_app.roles import Role

FOLLOW_INTERVAL_S = 0.5


class Command(BaseCommand):
    help = "Adds a video file to the catalogue and processes it, without the queue; shows a progress bar."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the video file")
        parser.add_argument("--title", help="default: the file's name")
        parser.add_argument("--description", default="", help="what the film is about")
        parser.add_argument("--category", help="the name of an existing category")
        parser.add_argument("--visibility", type=str.upper, choices=Visibility.values, default=Visibility.PUBLIC)
        parser.add_argument("--owner", help="e-mail address of the owner; default: the first admin")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("content_app").setLevel(logging.WARNING)  # the progress bar replaces the other lines
        path = readable_file(str(options["path"]))
        fields = {
            "title": (options["title"] or path.stem)[:MAX_TITLE_LENGTH],
            "description": options["description"],
            "category": find_category(options["category"]),
            "visibility": options["visibility"],
            "owner": find_owner(options["owner"]),
        }
        try:
            explain_file(path)  # before it is stored, so that an unusable file leaves nothing behind
        except PipelineError as error:
            raise CommandError(f"{error.code}: {error.sentence}") from error
        video = add_video(path, fields)
        self.show(0, None)
        run = lifecycle.claim(video_id=video.pk)
        if run:
            encoding.make_version(run=run, watch=self.show)
        self.follow(video)

    def follow(self, video: Video) -> None:
        """Shows the progress until the video is done. Raises CommandError when it failed."""
        # Usually it is done by now. But a worker may have claimed it first, or it may wait for another attempt.
        video.refresh_from_db()
        while video.state in (State.PENDING, State.PROCESSING) and video.deleted_at is None:
            if video.run:
                self.show(video.run.progress, video.run.time_left_s)
            time.sleep(FOLLOW_INTERVAL_S)
            if run := lifecycle.claim(video_id=video.pk):
                encoding.make_version(run=run, watch=self.show)
            video.refresh_from_db()
        self.show(video.run.progress if video.run else 0, None)
        self.stdout.write("")
        if video.deleted_at:
            raise CommandError("The video was deleted while it was processed.")
        version, failed = video.version, video.run
        if failed and video.state == State.ERROR:
            # The operator has the file, and sees here why it was refused: keep neither the row nor the stored original.
            video.delete()
            discards.remove_due()
            raise CommandError(f"{failed.error_code}: {failed.error_message}")
        assert version  # a film that is ready has one
        names = ", ".join(rendition.name for rendition in version.renditions.all())
        self.stdout.write(f"Video {video.pk} is ready: {version.duration_s:.1f} s in {names}.")
        self.stdout.write(f"Watch it at {settings.BACKEND_ORIGIN}/watch/{video.public_id}/")

    def show(self, percent: int, time_left_s: int | None) -> None:
        width = min(40, max(10, shutil.get_terminal_size().columns - 30))
        bar = "#" * (width * percent // 100)
        left = "" if time_left_s is None else f"{time_left_s} s left"
        self.stdout.write(f"\r[{bar:<{width}}] {percent:3d} % {left:<14}", ending="")
        self.stdout.flush()


def find_owner(email: str | None) -> User:
    owners = User.objects.filter(is_active=True).order_by("pk")
    owner = owners.filter(email=email.lower()).first() if email else owners.filter(role=Role.ADMIN).first()
    if owner is None:
        raise CommandError(
            f"No user has the address {email}." if email else "There is no admin: run manage.py bootstrap."
        )
    return owner


def find_category(name: str | None) -> Category | None:
    if name is None:
        return None
    category = Category.objects.filter(Q(name__iexact=name) | Q(slug=name)).first()
    if category is None:
        names = ", ".join(Category.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no category {name}. These exist: {names}.")
    return category


def add_video(path: Path, fields: dict[str, Any]) -> Video:
    try:
        with path.open("rb") as file:
            video = Video(**fields, original_name=path.name[:MAX_FILE_NAME_LENGTH], original_bytes=path.stat().st_size)
            video.video_file = File(file, name=path.name)
            videos.save(video=video)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except StorageUnavailable as error:
        raise CommandError(f"{error.sentence} {error.detail}") from error
    return video
