"""`manage.py explain_video 12`: what a file contains, how it would be encoded and why, and what that costs."""

import json
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from content_app.models import Video
from content_app.queries import parse_ref
from content_app.services.processing import preflight
from content_app.services.processing.encode_settings import plan_settings
from content_app.services.storage import work_folder
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import get_store
from media_pipeline.errors import PipelineError
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.planning.plan import plan_encode
from media_pipeline.probe import probe
from media_pipeline.report.explain import Explanation, as_text
from media_pipeline.storage.store import LocalStore


class Command(BaseCommand):
    help = "Explains a stored video or any file: what it contains, how it would be encoded and why, and the cost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("video", help="the id or public id of a video, or the path of a file")
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")
        parser.add_argument("--command", action="store_true", help="also print the exact ffmpeg command")

    def handle(self, *, video: str, **options: Any) -> None:
        try:
            with file_named(video) as path:
                explained = explain_file(path)
        except PipelineError as error:
            if options["json"]:
                self.stdout.write(as_json(preflight.refused_verdict(error.code, error.sentence)))
            raise CommandError(f"{error.code}: {error.sentence}") from error
        if options["json"]:
            self.stdout.write(as_json(preflight.as_verdict(explained)))
        else:
            self.stdout.write(as_text(explained, with_command=options["command"]), ending="")


def explain_file(path: Path) -> Explanation:
    """Probes a file and explains its encode plan. Raises PipelineError when the file cannot be processed."""
    limits = plan_settings().limits
    source = probe(path, time_limit_s=limits.probe_s)
    plan = plan_encode(source, plan_settings())
    size_bytes, ffmpeg = path.stat().st_size, find_ffmpeg(settings.FFMPEG_BIN)
    return preflight.explain_plan(source, plan, size_bytes=size_bytes, ffmpeg=ffmpeg, original=path)


@contextmanager
def file_named(text: str) -> Iterator[Path]:
    """Yields the original of the video with this id, or else the file at this path. Raises CommandError.

    A file whose name is a number has to be written as `./12`.
    """
    ref = parse_ref(text)
    if ref is None:
        yield readable_file(text)
        return
    key, store = original_key_of(ref), get_store()
    if isinstance(store, LocalStore):
        yield readable_file(str(store.path_of(key)))
        return
    with brief_folder() as folder:
        work_folder.fetch_original(key, folder / PurePath(key).name)
        yield folder / PurePath(key).name


def readable_file(text: str) -> Path:
    """Returns the absolute path. Raises CommandError when there is no file, or none that can be read."""
    path = Path(text).absolute()
    try:
        if not path.is_file():
            raise CommandError(f"{path} is not a file." if path.exists() else f"{path} does not exist.")
        path.open("rb").close()
    except (OSError, ValueError) as error:  # such as a name that is too long or contains a NUL, or no permission
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise CommandError(f"{text} cannot be read: {reason}.") from error
    return path


def original_key_of(ref: int | uuid.UUID) -> str:
    lookup = {"public_id": ref} if isinstance(ref, uuid.UUID) else {"pk": ref}
    video = Video.objects.select_related("run").filter(**lookup).first()
    if video is None:
        raise CommandError(f"There is no video {ref}. For a file of that name, write ./{ref}.")
    original: str = video.run.original if video.run else ""
    if not original:
        raise CommandError(f"Video {ref} has no file yet.")
    return original


def as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
