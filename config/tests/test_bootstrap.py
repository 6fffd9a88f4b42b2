"""`manage.py bootstrap`: makes what an empty platform needs, and makes nothing twice."""

import io
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.management.commands import bootstrap
from content_app.models import Category
from users_app.models import User
from users_app.roles import Role


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("bootstrap", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _own_data_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.mark.django_db
def test_the_first_admin_gets_a_random_password_that_is_shown_once() -> None:
    printed = run("--migrate").split()
    admin = User.objects.get(role=Role.ADMIN)
    assert printed[:3] == ["Sign", "in", "as"]
    assert printed[3] == admin.email
    assert admin.check_password(printed[7])
    again = run("--migrate")
    assert printed[7] not in again
    assert again.startswith(f"Sign in as {admin.email} with the password it has")


@pytest.mark.django_db
def test_a_chosen_password_is_never_printed(settings: Any) -> None:
    settings.DEFAULT_ADMIN_EMAIL, settings.DEFAULT_ADMIN_PASSWORD = "boss@example.com", "correct horse battery"
    assert run() == "Sign in as boss@example.com with the password of DEFAULT_ADMIN_PASSWORD.\n"
    assert User.objects.get().check_password("correct horse battery")


@pytest.mark.django_db
def test_a_weak_password_is_refused_in_one_sentence(settings: Any) -> None:
    settings.DEFAULT_ADMIN_PASSWORD = "1234"
    with pytest.raises(CommandError, match="DEFAULT_ADMIN_PASSWORD is too weak"):
        run()


@pytest.mark.django_db
def test_the_genres_are_there_in_order() -> None:
    run()
    assert list(Category.objects.values_list("name", flat=True)) == list(bootstrap.GENRES)


@pytest.mark.django_db
def test_genres_that_staff_removed_stay_removed() -> None:
    run()
    Category.objects.exclude(name="Drama").delete()
    run()
    assert list(Category.objects.values_list("name", flat=True)) == ["Drama"]


@pytest.mark.django_db
def test_a_broken_ffmpeg_is_reported_before_anything_is_made(settings: Any) -> None:
    settings.FFMPEG_BIN = "/bin/false"
    with pytest.raises(
        CommandError, match=r"^FFMPEG_BIN is /bin/false, which does not run; set it to a working ffmpeg"
    ):
        run()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_two_hosts_prepare_one_after_the_other() -> None:
    order = []

    def second() -> None:
        with bootstrap.file_lock():
            order.append("second")

    with bootstrap.file_lock():
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
