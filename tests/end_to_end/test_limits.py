"""Limits on the real server: shared by its processes, by the address that trusted proxies name, and without Redis."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client import Answer, Client
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, wait_for, web_alone

LIMIT = 4


@pytest.fixture
def limited(tmp_path: Path, prepared_database: Path) -> Iterator[Platform]:
    """A web server with two processes and tight limits."""
    limits = {"RATE_LIMIT_AUTH": str(LIMIT), "RATE_LIMIT_DEFAULT": "30"}
    with web_alone(tmp_path, prepared_database, **limits) as platform:
        yield platform


def try_password(platform: Platform, address: str, password: str = "wrong") -> Answer:  # noqa: S107 - a wrong one
    headers = {"Content-Type": "application/json", "X-Forwarded-For": f"198.51.100.99, {address}"}
    body = f'{{"email": "{ADMIN_EMAIL}", "password": "{password}"}}'.encode()
    return Client(platform.origin).request("POST", "/users/login/", body, headers)


def test_all_processes_count_together_by_the_address_behind_the_proxy(limited: Platform) -> None:
    statuses = [try_password(limited, "203.0.113.7").status for _ in range(LIMIT + 1)]
    assert statuses == [400] * LIMIT + [429]
    refused = try_password(limited, "203.0.113.7", ADMIN_PASSWORD)
    assert (refused.status, refused.json()["code"]) == (429, "throttled")
    assert int(refused.headers["retry-after"]) > 0
    assert try_password(limited, "203.0.113.8", ADMIN_PASSWORD).status == 200


def test_without_redis_people_sign_in_and_limits_hold_in_each_process(limited: Platform) -> None:
    client = limited.sign_in()
    limited.kill("redis")
    assert client.get("/api/v1/auth/me/").status == 200
    assert try_password(limited, "203.0.113.7", ADMIN_PASSWORD).status == 200
    statuses = [try_password(limited, "203.0.113.8").status for _ in range(3 * LIMIT)]
    assert 429 in statuses
    assert set(statuses) == {400, 429}
    limited.start_redis()
    wait_for(lambda: Client(limited.origin).get("/health/").json()["status"] == "ok", what="health")
    assert try_password(limited, "203.0.113.9", ADMIN_PASSWORD).status == 200
