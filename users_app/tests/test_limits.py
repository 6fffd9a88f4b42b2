"""Rate limits, and the wait after wrong passwords."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as NoRedis
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.clients import Client
from users_app.limits import counters as counting
from users_app.limits import lockout
from users_app.limits.counters import Counters, LocalCounterStore, counters
from users_app.limits.lockout import ACCOUNT, ADDRESS, PAIR, Attempt, TooManyAttempts
from users_app.limits.rates import network_of, seconds_to_wait
from users_app.models import User
from users_app.services import mail
from users_app.tests.conftest import SignIn
from users_app.tests.mailbox import deliver_one

LOGIN = "/users/login/"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock of the counters forward."""
    now = [1_000_000.0]
    monkeypatch.setattr("users_app.limits.rates.time.time", lambda: now[0])
    monkeypatch.setattr("users_app.limits.counters.time.monotonic", lambda: now[0])

    def pass_s(seconds: float) -> None:
        now[0] += seconds

    return pass_s


def limit(settings: Any, **limits: int) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, **limits}


def from_address(address: str) -> APIClient:
    return APIClient(HTTP_ORIGIN="http://testserver", REMOTE_ADDR=address)


def try_password(client: APIClient, email: str, password: str = "wrong") -> Any:  # noqa: S107 - a wrong one
    return client.post(LOGIN, {"email": email, "password": password}, format="json")


# --- Requests a minute -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "before", "elapsed_s", "wait_s"),
    [
        (1, 0, 0, 0),
        (10, 0, 0, 0),
        (11, 0, 15, 51),
        (1, 10, 0, 6),  # after six seconds one of the ten is more than a minute ago
        (1, 10, 6, 0),
        (5, 10, 15, 15),
        (10, 1000, 59.99, 1),
    ],
)
def test_the_window_slides(count: int, before: int, elapsed_s: float, wait_s: float) -> None:
    assert seconds_to_wait(count, before, limit=10, elapsed_s=elapsed_s, window_s=60) == wait_s


def test_a_user_over_the_limit_learns_when_to_try_again(
    viewer: User, creator: User, sign_in: SignIn, settings: Any, clock: Callable[[float], None]
) -> None:
    client, other = sign_in(viewer), sign_in(creator)
    limit(settings, default=5)
    for _ in range(5):
        assert client.get("/api/v1/auth/me/").status_code == 200
    refused = client.get("/api/v1/auth/me/")
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    wait_s = int(refused["Retry-After"])
    assert 0 < wait_s <= 120
    assert other.get("/api/v1/auth/me/").status_code == 200, "users are counted, not their network"
    clock(wait_s + 1)
    assert client.get("/api/v1/auth/me/").status_code == 200


@pytest.mark.parametrize(
    ("route", "scope"), [("/users/login/", "auth"), ("/users/forgot-password/", "auth"), ("/users/register/", "auth")]
)
def test_routes_that_check_passwords_or_send_mails_have_their_own_limit(
    route: str, scope: str, db: None, settings: Any
) -> None:
    limit(settings, **{scope: 2})
    client = from_address("203.0.113.7")
    statuses = [client.post(route, {}, format="json").status_code for _ in range(3)]
    assert statuses == [400, 400, 429]
    assert from_address("203.0.113.8").post(route, {}, format="json").status_code == 400


def test_an_ipv6_network_counts_as_one_sender(db: None, settings: Any) -> None:
    limit(settings, auth=1)
    assert from_address("2001:db8::1").post(LOGIN, {}, format="json").status_code == 400
    assert from_address("2001:db8::2").post(LOGIN, {}, format="json").status_code == 429
    assert from_address("2001:db8:0:1::1").post(LOGIN, {}, format="json").status_code == 400


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_asking_whether_addresses_exist_has_a_tight_limit(db: None, settings: Any) -> None:
    limit(settings, address_question=6)
    client = from_address("203.0.113.7")
    statuses = [client.get("/users/email-exists/", {"email": f"a{n}@example.com"}).status_code for n in range(7)]
    assert statuses == [200] * 6 + [429]


def test_an_address_in_a_header_of_the_client_is_ignored(db: None, settings: Any) -> None:
    limit(settings, auth=1)
    client = from_address("203.0.113.7")
    client.post(LOGIN, {}, format="json", HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert client.post(LOGIN, {}, format="json", HTTP_X_FORWARDED_FOR="198.51.100.2").status_code == 429


def test_refresh_sign_out_and_health_are_outside_the_auth_limit(viewer: User, sign_in: SignIn, settings: Any) -> None:
    client = sign_in(viewer)
    limit(settings, auth=1)
    for _ in range(10):
        assert client.post("/users/refresh/", {}, format="json").status_code == 200
        assert client.get("/health/").status_code in {200, 503}


# --- Mails to one address --------------------------------------------------------------------------------------------


def test_mails_to_one_address_are_limited(db: None, viewer: User, clock: Callable[[float], None]) -> None:
    for email in (viewer.email, "nobody@example.com"):
        answers = [
            from_address(f"203.0.113.{number}").post("/users/forgot-password/", {"email": email}, format="json")
            for number in range(6)
        ]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[-1].json()["code"] == "too_many_mails"
    clock(2 * mail.HOUR_S)
    again = from_address("203.0.113.7").post("/users/forgot-password/", {"email": viewer.email}, format="json")
    assert again.status_code == 200


# --- Wrong passwords -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failures", [(4, 0), (5, 15), (6, 30), (7, 60), (10, 480), (11, 900), (400, 900)])
def test_the_wait_doubles_up_to_fifteen_minutes(failures: tuple[int, int]) -> None:
    assert PAIR.wait_s(failures[0]) == failures[1]


@pytest.mark.parametrize("email", ["viewer@example.com", "nobody@example.com", "ＶＩＥＷＥＲ@example.com"])
def test_guessing_causes_a_wait_whether_or_not_the_account_exists(
    email: str, viewer: User, clock: Callable[[float], None]
) -> None:
    client = from_address("203.0.113.7")
    assert [try_password(client, email).status_code for _ in range(6)] == [400] * 5 + [429]
    refused = try_password(client, email, PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(refused["Retry-After"]) <= 15
    clock(16)
    assert try_password(client, email).status_code == 400
    assert int(try_password(client, email)["Retry-After"]) > 15, "the wait grows"
    clock(31)
    known = email != "nobody@example.com"
    assert try_password(client, email, PASSWORD).status_code == (200 if known else 400)


def test_a_stranger_cannot_lock_out_the_owner_at_another_address(viewer: User) -> None:
    stranger = from_address("203.0.113.7")
    for _ in range(20):
        try_password(stranger, viewer.email)
    assert try_password(from_address("198.51.100.1"), viewer.email, PASSWORD).status_code == 200


def test_a_sign_in_resets_the_count(viewer: User) -> None:
    client = from_address("203.0.113.7")
    for _ in range(4):
        for _ in range(4):
            assert try_password(client, viewer.email).status_code == 400
        assert try_password(client, viewer.email, PASSWORD).status_code == 200


def test_an_address_that_tries_many_accounts_has_to_wait(db: None) -> None:
    client = from_address("203.0.113.7")
    statuses = [try_password(client, f"person{number}@example.com").status_code for number in range(31)]
    assert statuses == [400] * ADDRESS.free + [429]


def test_guesses_from_many_addresses_delay_strangers_but_no_known_network(
    viewer: User, clock: Callable[[float], None]
) -> None:
    assert try_password(from_address("198.51.100.1"), viewer.email, PASSWORD).status_code == 200
    for number in range(ACCOUNT.free + 20):
        try_password(from_address(f"203.0.113.{number}"), viewer.email)
    refused = try_password(from_address("192.0.2.1"), viewer.email, PASSWORD)
    assert (refused.status_code, int(refused["Retry-After"]) <= ACCOUNT.max_s) == (429, True)
    assert try_password(from_address("198.51.100.1"), viewer.email, PASSWORD).status_code == 200
    clock(ACCOUNT.max_s + 1)
    assert try_password(from_address("192.0.2.1"), viewer.email, PASSWORD).status_code == 200


def test_a_wait_of_an_address_spares_accounts_with_a_session_there(
    viewer: User, clock: Callable[[float], None]
) -> None:
    """Such addresses are those of an office, or of an IPv6 network in which devices change their address every day."""
    home, tomorrow = from_address("2001:db8::1"), from_address("2001:db8::2")
    assert try_password(home, viewer.email, PASSWORD).status_code == 200
    for number in range(ADDRESS.free + 20):
        try_password(tomorrow, f"somebody{number}@example.com")
    refused = try_password(tomorrow, "somebody@example.com")
    assert (refused.status_code, int(refused["Retry-After"]) <= ADDRESS.max_s) == (429, True)
    assert try_password(tomorrow, viewer.email, PASSWORD).status_code == 200


def test_a_password_reset_ends_the_wait(viewer: User) -> None:
    for number in range(ACCOUNT.free + 20):
        try_password(from_address(f"203.0.113.{number}"), viewer.email)
    stranger = from_address("192.0.2.1")
    assert try_password(stranger, viewer.email, PASSWORD).status_code == 429
    stranger.post("/users/forgot-password/", {"email": viewer.email}, format="json")
    body = {**deliver_one().query, "new_password": "an entirely new one"}
    assert stranger.post("/users/reset-password/", body, format="json").status_code == 200
    assert try_password(stranger, viewer.email, "an entirely new one").status_code == 200


def test_guesses_within_a_session_count_too(viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    bodies = [{"password": f"guess{number}"} for number in range(6)]
    statuses = [client.delete("/users/me/", body, format="json").status_code for body in bodies]
    assert statuses == [400] * 5 + [429]
    refused = client.post("/users/password/change/", {"current_password": PASSWORD, "new_password": "x"}, format="json")
    assert refused.status_code == 429


def test_the_admin_site_has_the_same_limit_for_guesses(admin: User, client: Any) -> None:
    form = {"username": admin.email, "password": "wrong", "next": "/admin/"}
    for _ in range(5):
        assert "Please enter the correct" in client.post("/admin/login/", form).content.decode()
    page = client.post("/admin/login/", {**form, "password": PASSWORD})
    assert page.status_code == 200
    assert "Too many wrong passwords" in page.content.decode()


def test_counter_keys_do_not_reveal_addresses(viewer: User) -> None:
    try_password(from_address("203.0.113.7"), viewer.email)
    assert counters().local.entries
    assert not [key for key in counters().local.entries if "viewer" in key]


# --- Without Redis ---------------------------------------------------------------------------------------------------


class Away(LocalCounterStore):
    """A Redis that does not answer; `asked` counts the requests."""

    asked = 0

    def add(self, key: str, ttl_s: int) -> int:
        self.asked += 1
        raise NoRedis("refused")


def test_without_redis_the_process_counts_and_retries_after_a_pause(clock: Callable[[float], None]) -> None:
    away = Away()
    both = Counters(away)
    assert [both.ask(lambda store: store.add("a", 60)) for _ in range(3)] == [1, 2, 3]
    assert away.asked == 1
    clock(counting.PAUSE_S + 1)
    assert both.ask(lambda store: store.add("a", 60)) == 4
    assert away.asked == 2


def test_the_local_store_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MAX_LOCAL_ENTRIES", 100)
    store = LocalCounterStore()
    for number in range(1000):
        store.add(str(number), 60)
    assert len(store.entries) <= 100


def test_the_longest_wait_applies(db: None) -> None:
    attempt = Attempt("a@example.com", Client("203.0.113.7", ""))
    for _ in range(7):
        attempt.note_failure()
    with pytest.raises(TooManyAttempts) as refused:
        attempt.check()
    assert refused.value.sentence.endswith("Try again in 60 seconds.")
    assert PAIR.max_s <= lockout.MEMORY_S
