"""Health says which component is down; its status is `down` only without the database or the storage."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from background.tests.memory_queue import MemoryQueue
from config import health
from media_pipeline.errors import StorageUnavailable

ALL_UP = {"database": "ok", "cache": "ok", "queue": "ok", "storage": "ok"}


@pytest.fixture
def redis_is_up(memory_queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "is_cache_up", lambda: True)


class FailingStore:
    def check(self) -> None:
        raise StorageUnavailable


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_is_up")
@pytest.mark.parametrize("path", ["/health/", "/health"])
def test_all_is_well(path: str, client: Client) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok", "components": ALL_UP})


@pytest.mark.django_db
def test_without_redis_the_platform_is_degraded(client: Client) -> None:
    """Nothing listens at the REDIS_URL of the tests."""
    response = client.get("/health/")
    assert response.status_code == 200
    assert response.json() == {"status": "degraded", "components": {**ALL_UP, "cache": "down", "queue": "down"}}


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_is_up")
def test_without_storage_it_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "get_store", FailingStore)
    response = client.get("/health/")
    assert response.status_code == 503
    assert response.json() == {"status": "down", "components": {**ALL_UP, "storage": "down"}}


@pytest.mark.usefixtures("redis_is_up")
def test_without_database_it_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", fail)
    response = client.get("/health/")
    assert response.status_code == 503
    assert response.json()["components"]["database"] == "down"


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_is_up")
def test_health_ignores_a_stale_session(client: Client, settings: Any) -> None:
    client.cookies[settings.JWT_ACCESS_COOKIE_NAME] = "stale"
    assert client.get("/health/", headers={"Authorization": "Bearer broken"}).status_code == 200
