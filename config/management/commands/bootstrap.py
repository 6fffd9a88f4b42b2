"""`manage.py bootstrap`: roles, the first admin and the genres; safe to repeat."""

import contextlib
import fcntl
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from content_app.models import Category
from media_pipeline.ffmpeg.locate import NoFfmpeg, find_ffmpeg
from media_pipeline.ffmpeg.sandbox import SandboxMissing
from users_app.models import User
from users_app.roles import Role
from users_app.services.accounts import AdminRefused, FirstAdmin, ensure_first_admin, ensure_roles

GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Family",
    "Fantasy",
    "History",
    "Horror",
    "Music",
    "Romance",
    "Science Fiction",
    "Thriller",
    "War",
    "Western",
)
# The advisory lock of all processes that prepare this database; any number that nothing else uses.
LOCK_NUMBER = 0x766964656F


class Command(BaseCommand):
    help = "Makes what an empty platform needs: roles, the first admin, genres. Safe to repeat."

    # The settings alone: the other checks, which workers and the reaper run, would cost every start half a second.
    requires_system_checks = ("videoflix",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *, migrate: bool, **options: Any) -> None:
        try:
            find_ffmpeg(settings.FFMPEG_BIN)
            with one_at_a_time():
                if migrate:
                    call_command("migrate", interactive=False, verbosity=0)
                self.prepare()
        except (NoFfmpeg, SandboxMissing) as error:
            raise CommandError(error.sentence) from error
        except AdminRefused as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"The database cannot be used ({reason}): check DATABASE_URL or DB_HOST.") from error

    def prepare(self) -> None:
        ensure_roles()
        ensure_genres()
        admin = ensure_first_admin(email=settings.DEFAULT_ADMIN_EMAIL, password=settings.DEFAULT_ADMIN_PASSWORD)
        self.stdout.write(describe_sign_in(admin))


def ensure_genres() -> None:
    """Fills an empty list only: staff may rename and remove genres."""
    if not Category.objects.exists():
        for position, name in enumerate(GENRES):
            Category.objects.create(name=name, position=position)


def describe_sign_in(admin: FirstAdmin | None) -> str:
    if admin is None:
        email = User.objects.filter(role=Role.ADMIN, is_active=True).earliest("pk").email
        return f"Sign in as {email} with the password it has (forgotten: manage.py changepassword {email})."
    if admin.generated_password is None:
        return f"Sign in as {admin.email} with the password of DEFAULT_ADMIN_PASSWORD."
    return f"Sign in as {admin.email} with the password {admin.generated_password} (shown only this once)."


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hosts and containers that start together wait for each other here: two migrations at once fail half-way."""
    with postgresql_lock() if connection.vendor == "postgresql" else file_lock():
        yield


@contextlib.contextmanager
def postgresql_lock() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_NUMBER])


@contextlib.contextmanager
def file_lock() -> Iterator[None]:
    with (settings.DATA_DIR / "bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
