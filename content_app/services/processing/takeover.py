"""Takes over what processes of the release before have written to their columns after the tables were migrated.

While a site is upgraded, its old web server may still accept a file, and its old worker may still publish a version.
The columns leave the table in the next release, and this module with them.
"""

import logging
import time
import uuid
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from background.leases import lease_end
from content_app.models import Caption, Rendition, Run, Version, Video
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Original, Published
from content_app.states import LIVE_RUNS, RunState

log = logging.getLogger(__name__)

EVERY_S = 60
# From the start of the reaper, which a new release brings: the processes of the release before end within minutes.
LASTS_S = 3600
COLUMNS = (
    *("id", "accepted_original", "original_etag", "original_name", "original_bytes", "version", "played_original"),
    *("played_etag", "played_name", "played_bytes", "duration_s", "width", "height", "size_bytes", "poster_choices"),
    *("has_small_choices", "has_storyboard", "has_manifest", "work_pixels", "work_s"),
)
PUBLISHED = """
SELECT film.* FROM content_app_video AS film WHERE version <> '' AND NOT EXISTS
    (SELECT 1 FROM content_app_run AS run WHERE run.video_id = film.id AND run.folder = film.version)
"""
ACCEPTED = """
SELECT film.* FROM content_app_video AS film
WHERE state IN ('pending', 'processing') AND accepted_original <> '' AND NOT EXISTS
    (SELECT 1 FROM content_app_run AS run WHERE run.video_id = film.id AND run.original = film.accepted_original)
"""
RENDITIONS = """
SELECT name, width, height, frame_rate, codecs, peak_bps, average_bps, size_bytes, frames
FROM content_app_rendition WHERE video_id = %s AND version = %s
"""
STARTED_AT = time.monotonic()
_next_at = STARTED_AT


def take_over_older_rows() -> int:
    """A chore of the reaper, which does its work once in EVERY_S. Returns how many films it took over."""
    global _next_at
    now = time.monotonic()
    if now < _next_at or now > STARTED_AT + LASTS_S or not has_older_columns():
        return 0
    _next_at = now + EVERY_S
    return take_over()


@cache
def has_older_columns() -> bool:
    with connection.cursor() as cursor:
        names = {column.name for column in connection.introspection.get_table_description(cursor, Video._meta.db_table)}
    return set(COLUMNS) <= names


def take_over() -> int:
    """Returns how many films were taken over."""
    count = 0
    for film in rows(PUBLISHED):
        count += take_over_version(film)
    for film in rows(ACCEPTED):
        original = Original(
            film["accepted_original"], film["original_name"], film["original_bytes"], film["original_etag"]
        )
        count += lifecycle.accept_original(video_id=film["id"], original=original)
    # The release before does not know revisions: what it has edited gets another one, so that readers see the edit.
    Video.objects.filter(updated_at__gte=timezone.now() - timedelta(seconds=2 * EVERY_S)).update()
    if count:
        log.info("%d film(s) of the release before were taken over", count)
    return count


def take_over_version(film: dict[str, Any]) -> bool:
    """Publishes the version by the run of its original. Returns False when another file is under way by now."""
    with transaction.atomic():
        live = Run.objects.select_for_update().filter(video=film["id"], state__in=LIVE_RUNS).first()
        if live is not None and live.original != film["played_original"]:
            return False
        lease = {"state": RunState.RUNNING, "lease_token": uuid.uuid4(), "free_at": lease_end()}
        if live is None:
            file = {"original": film["played_original"], "etag": film["played_etag"], "name": film["played_name"]}
            live = Run.objects.create(video_id=film["id"], size_bytes=film["played_bytes"], **file, **lease)
            Video.objects.filter(pk=film["id"]).update(run=live, state="processing")
        else:
            Run.objects.filter(pk=live.pk).update(**lease)
            Video.objects.filter(pk=film["id"]).update(state="processing")
        run = Run.objects.select_related("video").get(pk=live.pk)
        lifecycle.mark_ready(run=run, published=published(film))
    return True


def published(film: dict[str, Any]) -> Published:
    facts = ("duration_s", "width", "height", "size_bytes", "poster_choices")
    flags = ("has_small_choices", "has_storyboard", "has_manifest")
    version = Version(
        folder=film["version"],
        **{name: film[name] for name in facts},
        **{name: bool(film[name]) for name in flags},  # SQLite has numbers
    )
    renditions = [Rendition(**rung) for rung in rows(RENDITIONS, film["id"], film["version"])]
    captions = list(Caption.objects.filter(video=film["id"], is_uploaded=False, folder=film["version"]))
    for caption in captions:
        caption.pk = None  # mark_ready writes them anew
    return Published(version, renditions, captions, work_pixels=film["work_pixels"], work_s=film["work_s"])


def rows(statement: str, *params: int | str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
