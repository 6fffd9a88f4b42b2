"""Named roles and builders for every test."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from background.queue import using
from background.tests.memory_queue import MemoryQueue
from users_app.limits.counters import counters
from users_app.models import User
from users_app.roles import Role

if TYPE_CHECKING:
    from tests.ceph import Ceph

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    """Argon2 is slow on purpose; tests of it ask for it by name."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _own_media_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.WORK_DIR = tmp_path / "work"
    for folder in (settings.MEDIA_ROOT, settings.WORK_DIR):
        folder.mkdir()


@pytest.fixture(autouse=True)
def _own_counters(settings: Any) -> None:
    """Turns rate limits off, so that requests of other tests do not count; tests of limits set their own."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0)
    counters.cache_clear()
    counters().closed_until = float("inf")


@pytest.fixture
def memory_queue() -> Iterator[MemoryQueue]:
    """A queue in place of Redis: jobs stay on it until the test takes them up."""
    queue = MemoryQueue()
    with using(queue):
        yield queue


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(name: str, *, role: Role = Role.VIEWER, **fields: Any) -> User:
        email = fields.pop("email", f"{name}@example.com")
        return User.objects.create_user(email, PASSWORD, name=name, role=role, **fields)

    return make


@pytest.fixture
def owner(make_user: Callable[..., User]) -> User:
    """A creator who owns the videos of the test."""
    return make_user("owner", role=Role.CREATOR)


@pytest.fixture
def creator(make_user: Callable[..., User]) -> User:
    """Another creator, who owns none of them."""
    return make_user("creator", role=Role.CREATOR)


@pytest.fixture
def viewer(make_user: Callable[..., User]) -> User:
    return make_user("viewer")


@pytest.fixture
def admin(make_user: Callable[..., User]) -> User:
    return make_user("admin", role=Role.ADMIN, is_staff=True, is_superuser=True)


@pytest.fixture
def as_user() -> Callable[[User], APIClient]:
    """Returns clients that are signed in as a user (authentication itself is tested in users_app)."""

    def sign_in(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return sign_in


@pytest.fixture(scope="session")
def s3_server() -> "Iterator[Ceph]":
    """A real S3 server; starts in a few seconds."""
    from tests.ceph import running_ceph  # most tests need neither it nor boto3

    yield from running_ceph()
