"""`make bench-migration`: how long the newest migrations take on a site with FILMS films (100,000) and four qualities.

Run it on SQLite, or with `python -m tests.with_postgresql python -m bench.migration` on PostgreSQL. It prints the time
of each migration, and of going back.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

FILMS = int(os.environ.get("FILMS", "100000"))
BEFORE = [("content_app", "0014_reaper_rounds"), ("users_app", "0008_people")]
BATCH = 2000
RUNGS = (120, 360, 720, 1080)
VERSION = "0123456789abcdef"
RUNG = {
    "frame_rate": "25", "codecs": "avc1.64001f", "peak_bps": 2, "average_bps": 1, "size_bytes": 3, "frames": 1500,
}  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-migration-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1", "ENV_FILE": "", "DATA_DIR": folder,
            "SECRET_KEY": "a key that only this measurement has, 0123456789",
        }  # fmt: skip
        import django

        django.setup()
        from django.db import connection

        fill(migrate(BEFORE))
        print(f"{FILMS:,} films, {FILMS * len(RUNGS):,} renditions on {connection.vendor}")
        began = time.monotonic()
        migrate(None, is_shown=True)
        print(f"forward: {time.monotonic() - began:.1f} s, {count()} films play")
        began = time.monotonic()
        migrate(BEFORE)
        print(f"back: {time.monotonic() - began:.1f} s")
        if connection.vendor == "sqlite":
            print(f"{Path(connection.settings_dict['NAME']).stat().st_size / 1024**2:.0f} MiB")


def migrate(before: list[tuple[str, str]] | None, *, is_shown: bool = False) -> Any:
    """Returns the models after the migration to `before`, or to the newest state."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    last = time.monotonic()

    def show(action: str, migration: Any = None, fake: bool | None = None) -> None:
        nonlocal last
        if is_shown and action == "apply_success":
            print(f"  {migration.app_label}.{migration.name}: {time.monotonic() - last:.1f} s")
        if action == "apply_start":
            last = time.monotonic()

    executor = MigrationExecutor(connection, show)
    leaves = executor.loader.graph.leaf_nodes()
    apps = {app for app, _ in before or []}
    targets = [*(before or []), *(leaf for leaf in leaves if leaf[0] not in apps)]
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def fill(apps: Any) -> None:
    owner = apps.get_model("users_app", "User").objects.create(email="owner@example.com")
    video, rendition = (apps.get_model("content_app", name) for name in ("Video", "Rendition"))
    for first in range(0, FILMS, BATCH):
        films = video.objects.bulk_create(
            video(owner=owner, title=f"Film {number}", **film_fields(number)) for number in range(first, first + BATCH)
        )
        rendition.objects.bulk_create(
            rendition(video=film, version=VERSION, name=f"{side}p", width=side * 16 // 9, height=side, **RUNG)
            for film in films
            for side in RUNGS
        )


def film_fields(number: int) -> dict[str, Any]:
    """Of a hundred films one has failed, one waits, and the others play."""
    key = f"originals/{number}/film.mp4"
    original = {"video_file": key, "accepted_original": key}
    if number % 100 == 0:
        return {**original, "state": "error", "error_code": "not_a_video", "error_message": "This is no video."}
    if number % 100 == 1:
        return {**original, "state": "pending"}
    verdict = {"verdict": "fine", "found": {"lines": [{"label": "File", "text": "MP4, 9 MB"}] * 8}}
    return {
        **original, "description": "What happens in it. " * 10, "state": "ready", "progress": 100, "version": VERSION,
        "duration_s": 60, "width": 1920, "height": 1080, "size_bytes": 9, "poster_choices": 3, "played_original": key,
        "verdict": verdict, "played_verdict": verdict, "work_pixels": 1000, "work_s": 10,
    }  # fmt: skip


def count() -> int:
    from content_app.models import Video

    return Video.objects.exclude(version=None).count()


if __name__ == "__main__":
    main()
