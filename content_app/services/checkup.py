"""Checks, one by one, that everything the platform needs is there and works; for `manage.py doctor`."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from smtplib import SMTPException

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count
from django.utils import timezone

from content_app import queue
from content_app.input_rules import MEGABYTE
from content_app.models import ReaperRound, Video
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import bucket_store, get_store
from content_app.states import State
from media_pipeline.errors import PipelineError
from media_pipeline.ffmpeg import run, sandbox_checkup
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.ffmpeg.sandbox import Demand, means_here
from media_pipeline.findings import Finding, fine, wrong
from users_app.cognito.user_pool import UserPool
from users_app.services.mail import given_up_count, try_mail_server

MIN_FREE_MB = 2048
MAX_ROUND_S = 600  # of the reaper, beside the pause between two rounds: each chore may take half a minute


class CheckFailed(Exception):
    """The message says what is wrong and how to fix it."""


def run_checks() -> Iterator[Finding]:
    """Yields each finding as soon as it is known, so that the operator sees the progress."""
    checks: dict[str, Callable[[], str]] = {
        "database": check_database,
        "redis": check_redis,
        "workers": check_workers,
        "reaper": check_reaper,
        "films": check_films,
        "ffmpeg": lambda: find_ffmpeg(settings.FFMPEG_BIN),
        "sandbox": check_sandbox,
        "work folder": check_work_folder,
        "mail": check_mail,
    }
    if pool := settings.USER_POOL:
        checks["user pool"] = lambda: check_user_pool(pool)
    for name, check in checks.items():
        try:
            yield fine(name, check())
        except CheckFailed as problem:
            yield wrong(name, str(problem))
        except PipelineError as error:
            yield wrong(name, error.sentence)
    yield from check_storage()


def check_database() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        raise CheckFailed(f"It cannot be used ({reason}): check DATABASE_URL or DB_HOST.") from error
    if missing:
        raise CheckFailed(f"{len(missing)} migrations are missing: run `manage.py bootstrap --migrate`.")
    return f"{connection.vendor}, up to date"


def check_redis() -> str:
    if not queue.ping():
        raise CheckFailed("It does not answer: start it, or set REDIS_URL to one that runs.")
    return "answers"


def check_workers() -> str:
    count = queue.worker_count()
    if not count:
        raise CheckFailed("None serves films: start `manage.py rqworker`, and `manage.py reaper` beside it.")
    return f"{count} serving films"


def check_reaper() -> str:
    # Asked of the database, where the reaper writes a row: this works with any queue and a reaper on another machine.
    try:
        last = ReaperRound.objects.order_by("-ended_at").first()
    except DatabaseError as error:
        raise CheckFailed("The database cannot say when the reaper last ran.") from error
    if last is None:
        raise CheckFailed("No reaper has finished a round yet: start `manage.py reaper`.")
    age_s = max(0, round((timezone.now() - last.ended_at).total_seconds()))
    if age_s > settings.REAPER_INTERVAL_SECONDS + MAX_ROUND_S:
        raise CheckFailed(
            f"Its last round ended {age_s:,} s ago: start `manage.py reaper`, or look for “the chore … failed” in "
            "its log."
        )
    return f"its last round ended {age_s} s ago"


def check_films() -> str:
    # Failed films are counted but fail no check: most of their files are no videos, which is no fault of the platform.
    failed = Video.objects.filter(state=State.ERROR, deleted_at=None)
    try:
        codes = list(
            failed.values_list("run__error_code").annotate(count=Count("id")).order_by("-count", "run__error_code")
        )
    except DatabaseError as error:
        raise CheckFailed("The database cannot say which films have failed.") from error
    if not codes:
        return "none has failed"
    by_code = ", ".join(f"{count} × {code}" for code, count in codes)
    total = sum(count for _, count in codes)
    return f"{total} failed ({by_code}): the admin site says why, docs/operate.md has what to do for each code"


def check_sandbox() -> str:
    if run.demand is Demand.OFF:
        return "off, as SANDBOX says: programs that read videos may read and write all that a worker may"
    with brief_folder() as folder:
        achieved = sandbox_checkup.escapes(folder)
    summary = sandbox_checkup.summarize(achieved, means_here())
    if achieved and run.demand is Demand.REQUIRED:
        raise CheckFailed(
            f"{summary}: SANDBOX=required processes nothing here; set it to best, or run a kernel with Landlock."
        )
    return summary


def check_mail() -> str:
    try:
        backend = try_mail_server()
    except (OSError, SMTPException) as error:
        server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        raise CheckFailed(
            f"{server} does not take mails ({error}): check EMAIL_HOST and the settings below it."
        ) from error
    if given_up := given_up_count():
        raise CheckFailed(f"{given_up} mail(s) could not be sent: look for “was not sent” in the log of the workers.")
    return backend


def check_user_pool(pool: UserPool) -> str:
    # Imported here, because only installations with a user pool have boto3; see users_app.identity.
    from users_app.cognito.checkup import PoolUnfit, try_pool

    try:
        return try_pool(pool)
    except PoolUnfit as error:
        raise CheckFailed(str(error)) from error


def check_work_folder() -> str:
    folder = settings.WORK_DIR
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"ok")
    except OSError as error:
        raise CheckFailed(
            f"{folder} cannot be written to ({error.strerror}): set DATA_DIR to a folder that can."
        ) from error
    free_mb = shutil.disk_usage(folder).free // MEGABYTE
    if free_mb < MIN_FREE_MB:
        raise CheckFailed(f"Only {free_mb:,} MB are free at {folder}: films of some length will fail; make room.")
    return f"{free_mb:,} MB free"


def check_storage() -> Iterator[Finding]:
    bucket = bucket_store()
    if bucket is None:
        try:
            get_store().check()
        except PipelineError as error:
            yield wrong("media folder", f"{settings.MEDIA_ROOT}: {error.detail}")
        else:
            yield fine("media folder", f"{settings.MEDIA_ROOT} can be written to")
        return
    # Imported here, because only installations with a bucket have boto3; see services.storage.stores.
    from media_pipeline.storage import s3_checkup

    yield from s3_checkup.check_buckets(bucket, page_origins())


def page_origins() -> list[str]:
    """Returns the origins whose pages read media and upload files: this site and the allowed front ends."""
    return list(dict.fromkeys((settings.BACKEND_ORIGIN, *settings.CORS_ALLOWED_ORIGINS)))
