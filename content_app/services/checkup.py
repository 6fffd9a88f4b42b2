"""Whether everything is there that the platform needs, tried out one by one; for `manage.py doctor`."""

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
from content_app.models import ReaperRound, Video
from content_app.rules import MEGABYTE
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

LITTLE_ROOM_MB = 2048
LONGEST_ROUND_S = 600  # beside the pause between two rounds: each chore may take half a minute before the next


class CheckFailed(Exception):
    """What is wrong and how to mend it."""


def run_checks() -> Iterator[Finding]:
    """One by one, so that whoever waits sees how far it is."""
    checks: dict[str, Callable[[], str]] = {
        "database": look_at_database,
        "redis": look_at_redis,
        "workers": look_at_workers,
        "reaper": look_at_reaper,
        "films": look_at_films,
        "ffmpeg": look_at_ffmpeg,
        "sandbox": look_at_sandbox,
        "work folder": look_at_work_folder,
        "mail": look_at_mail,
    }
    if pool := settings.USER_POOL:
        checks["user pool"] = lambda: look_at_user_pool(pool)
    for name, look in checks.items():
        try:
            yield fine(name, look())
        except CheckFailed as problem:
            yield wrong(name, str(problem))
        except PipelineError as error:
            yield wrong(name, error.sentence)
    yield from examine_storage()


def look_at_database() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        raise CheckFailed(f"It cannot be used ({reason}): check DATABASE_URL or DB_HOST.") from error
    if missing:
        raise CheckFailed(f"{len(missing)} migrations are missing: run `manage.py bootstrap --migrate`.")
    return f"{connection.vendor}, up to date"


def look_at_redis() -> str:
    if not queue.ping():
        raise CheckFailed("It does not answer: start it, or set REDIS_URL to one that runs.")
    return "answers"


def look_at_workers() -> str:
    count = queue.worker_count()
    if not count:
        raise CheckFailed("None serves films: start `manage.py rqworker`, and `manage.py reaper` beside it.")
    return f"{count} serving films"


def look_at_reaper() -> str:
    """By what it wrote into the database, which works with any queue and on any number of machines."""
    try:
        last = ReaperRound.objects.order_by("-ended_at").first()
    except DatabaseError as error:
        raise CheckFailed("The database cannot tell when it last worked.") from error
    if last is None:
        raise CheckFailed("None has come to the end of a round yet: start `manage.py reaper`.")
    age_s = max(0, round((timezone.now() - last.ended_at).total_seconds()))
    if age_s > settings.REAPER_INTERVAL_SECONDS + LONGEST_ROUND_S:
        raise CheckFailed(
            f"Its last round ended {age_s:,} s ago: start `manage.py reaper`, or look for “the chore … failed” in "
            "its log."
        )
    return f"its last round ended {age_s} s ago"


def look_at_films() -> str:
    """Failed ones are no fault of the platform's by themselves: most are files that are no films."""
    failed = Video.objects.filter(state=State.ERROR, deleted_at=None)
    try:
        codes = list(failed.values_list("error_code").annotate(count=Count("id")).order_by("-count", "error_code"))
    except DatabaseError as error:
        raise CheckFailed("The database cannot tell which have failed.") from error
    if not codes:
        return "none has failed"
    told = ", ".join(f"{count} × {code}" for code, count in codes)
    sum_of_all = sum(count for _, count in codes)
    return f"{sum_of_all} failed ({told}): the admin site says why, docs/operate.md has what to do for each code"


def look_at_ffmpeg() -> str:
    return find_ffmpeg(settings.FFMPEG_BIN)


def look_at_sandbox() -> str:
    if run.demand is Demand.OFF:
        return "off, as SANDBOX says: programs that read videos may read and write all that a worker may"
    with brief_folder() as folder:
        achieved = sandbox_checkup.escapes(folder)
    said = sandbox_checkup.summarize(achieved, means_here())
    if achieved and run.demand is Demand.REQUIRED:
        raise CheckFailed(
            f"{said}: SANDBOX=required processes nothing here; set it to best, or run a kernel with Landlock."
        )
    return said


def look_at_mail() -> str:
    try:
        way = try_mail_server()
    except (OSError, SMTPException) as error:
        server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        raise CheckFailed(
            f"{server} does not take mails ({error}): check EMAIL_HOST and the settings below it."
        ) from error
    if given_up := given_up_count():
        raise CheckFailed(f"{given_up} mail(s) could not be sent: look for “was not sent” in the log of the workers.")
    return way


def look_at_user_pool(pool: UserPool) -> str:
    # boto3 is for installations with a pool only; see users_app.identity.
    from users_app.cognito.checkup import PoolUnfit, try_pool

    try:
        return try_pool(pool)
    except PoolUnfit as error:
        raise CheckFailed(str(error)) from error


def look_at_work_folder() -> str:
    folder = settings.WORK_DIR
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"ok")
    except OSError as error:
        raise CheckFailed(
            f"{folder} cannot be written to ({error.strerror}): set DATA_DIR to a folder that can."
        ) from error
    free_mb = shutil.disk_usage(folder).free // MEGABYTE
    if free_mb < LITTLE_ROOM_MB:
        raise CheckFailed(f"Only {free_mb:,} MB are free at {folder}: films of some length will fail; make room.")
    return f"{free_mb:,} MB free"


def examine_storage() -> Iterator[Finding]:
    bucket = bucket_store()
    if bucket is None:
        try:
            get_store().check()
        except PipelineError as error:
            yield wrong("media folder", f"{settings.MEDIA_ROOT}: {error.detail}")
        else:
            yield fine("media folder", f"{settings.MEDIA_ROOT} can be written to")
        return
    # boto3 is for installations with a bucket only; see services.storage.stores.
    from media_pipeline.storage import s3_checkup

    yield from s3_checkup.check_buckets(bucket, page_origins())


def page_origins() -> list[str]:
    """Whose pages read media and upload: ours and those of the front ends."""
    return list(dict.fromkeys((settings.BACKEND_ORIGIN, *settings.CORS_ALLOWED_ORIGINS)))
