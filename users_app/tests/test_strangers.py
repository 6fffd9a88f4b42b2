"""What clients without an account can make the database store: by every route, method and kind of credentials."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from users_app import audit
from users_app.audit import trail
from users_app.http.service_signature import SignatureRefused
from users_app.limits.lockout import ADDRESS
from users_app.models import AuditEntry, User
from users_app.tests.conftest import SignIn, post

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SAMPLES = {"uuid": "0b5e0c3e-9b39-4fb0-b6b4-6d0c5d3c6f0e", "number": "1", "int": "1", "video": "1"}
SIGNATURE = "AWS4-HMAC-SHA256 Credential=K/20260101/eu/execute-api/aws4_request, SignedHeaders=host, Signature=00"
DISGUISES: dict[str, dict[str, str]] = {
    "none": {},
    "a page of another site with a cookie": {"HTTP_ORIGIN": "https://evil.example", "HTTP_COOKIE": "vf_access=a.b.c"},
    "a token": {"HTTP_AUTHORIZATION": "Bearer a.b.c"},
    "a service": {"HTTP_AUTHORIZATION": SIGNATURE},
}
OF_ADDRESS, IN_ALL = 5, 12

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MAX_ATTEMPTS_OF_ADDRESS", OF_ADDRESS)
    monkeypatch.setattr(trail, "MAX_ATTEMPTS", IN_ALL)


@pytest.fixture
def stranger() -> Client:
    return Client(raise_request_exception=False, HTTP_HOST="localhost")


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Yield every path of the platform, with values for its parameters."""
    for pattern in (resolver or get_resolver()).url_patterns:
        path = before + sample_of(str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from routes(pattern, path)


def sample_of(route: str) -> str:
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "", "x"), route)
    return re.sub(r"\(\?P<\w+>.*?\)|[\^$]|\\Z|\?", "", route)


def send(stranger: Client, method: str, path: str, headers: dict[str, str], *, address: str) -> None:
    environ: Any = {"REMOTE_ADDR": address, **headers}
    stranger.generic(method, f"/{path}", "{}", "application/json", **environ)


def rows() -> Counter[str]:
    counted = Counter(
        {model._meta.label: model._base_manager.count() for model in apps.get_models() if model._meta.managed}
    )
    return +Counter({name: number for name, number in counted.items() if name != "users_app.AuditEntry"})


def test_a_stranger_at_every_route_leaves_no_more_rows_than_the_limits(stranger: Client, admin: User) -> None:
    before, sent = rows(), 0
    for path in sorted(set(routes())):
        for method in METHODS:
            for headers in DISGUISES.values():
                sent += 1
                send(stranger, method, path, headers, address="203.0.113.9")
    assert sent > 1000
    assert rows() == before
    assert AuditEntry.objects.count() <= OF_ADDRESS


def test_a_thousand_requests_to_audited_routes_leave_no_more_rows_than_the_limit(stranger: Client, admin: User) -> None:
    """Sent from many addresses, and spread evenly over all audited routes."""
    tried = sorted({(method, sample_of(route)) for method, route in audit.actions})
    before, sent = rows(), 0
    while sent < 1000:
        for method, path in tried:
            headers = list(DISGUISES.values())[sent % len(DISGUISES)]
            address = f"198.51.100.{sent % 200}"
            send(stranger, method, f"{path}/", headers, address=address)
            sent += 1
    assert rows() == before
    assert AuditEntry.objects.count() <= IN_ALL


@pytest.mark.parametrize("path", ["/users/login/", "/api/v1/auth/token/", "/admin/login/"])
def test_wrong_passwords_are_recorded_up_to_the_limits(path: str, stranger: Client, admin: User) -> None:
    for number in range(IN_ALL * 4):
        form = {"email": admin.email, "username": admin.email, "password": f"guess {number}"}
        options: Any = {} if path.startswith("/admin") else {"content_type": "application/json"}
        stranger.post(path, form, REMOTE_ADDR=f"203.0.113.{number // 8}", HTTP_ORIGIN="http://localhost", **options)
    assert AuditEntry.objects.filter(address="203.0.113.0").count() == OF_ADDRESS
    assert AuditEntry.objects.count() == IN_ALL


def test_the_next_entry_tells_how_many_were_left_out(stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(OF_ADDRESS + 3):
        stranger.get("/users/confirm/", REMOTE_ADDR="203.0.113.9")
    stranger.get("/users/confirm/", REMOTE_ADDR="203.0.113.10")
    details = [entry.detail for entry in AuditEntry.objects.order_by("pk")]
    assert details == [{}] * OF_ADDRESS + [{"left_out": 3}]


def test_actions_of_users_are_recorded_when_the_limit_for_strangers_is_reached(
    stranger: Client, viewer: User, sign_in: SignIn
) -> None:
    for number in range(IN_ALL * 2):
        stranger.get("/users/confirm/", REMOTE_ADDR=f"203.0.113.{number}")
    client = sign_in(viewer)
    for _ in range(OF_ADDRESS * 2):
        client.patch("/users/profile/", {"name": "V"}, format="json")
    assert AuditEntry.objects.filter(actor=viewer, action="profile_changed").count() == OF_ADDRESS * 2
    assert AuditEntry.objects.filter(actor=viewer, action="sign_in").count() == 1


def test_a_sign_out_is_recorded_once_however_often_the_token_is_sent(viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    token = client.cookies["vf_refresh"].value
    for _ in range(3):
        post(client, "/users/logout/", {"refresh_token": token})
    assert AuditEntry.objects.filter(action="sign_out").count() == 1


# --- Throttles come before expensive work ----------------------------------------------------------------------------


def test_the_admins_sign_in_hashes_no_more_than_its_limit(
    stranger: Client, admin: User, settings: Any, hashed: list[str]
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "auth": 3}
    for number in range(6):
        form = {"username": f"person{number}@example.com", "password": "a guess"}
        assert stranger.post("/admin/login/", form).status_code == 200
    assert len(hashed) == 3
    assert "Too many requests" in stranger.post("/admin/login/", form).content.decode()


def test_deleting_an_account_has_the_limit_of_signing_in(
    viewer: User, sign_in: SignIn, settings: Any, hashed: list[str]
) -> None:
    client = sign_in(viewer)
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "auth": 3}
    hashed.clear()
    statuses = [client.delete("/users/me/", {"password": "a guess"}, format="json").status_code for _ in range(5)]
    assert statuses == [400, 400, 400, 429, 429]
    assert len(hashed) == 3


def test_after_wrong_signatures_the_next_one_has_to_wait(stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[Any] = []
    monkeypatch.setattr("users_app.http.service_authentication.sent_request", looked_at.append)
    monkeypatch.setattr("users_app.http.service_authentication.verify_signature", refuse)
    path = "/api/v1/upload/videos/1/status/?status=COMPLETED"
    for _ in range(ADDRESS.free):
        assert stranger.patch(path, HTTP_AUTHORIZATION=SIGNATURE).status_code == 403
    answer = stranger.patch(path, HTTP_AUTHORIZATION=SIGNATURE)
    assert (answer.status_code, len(looked_at)) == (429, ADDRESS.free)
    assert int(answer["Retry-After"]) >= 1
    assert stranger.patch(path, HTTP_AUTHORIZATION=SIGNATURE, REMOTE_ADDR="203.0.113.5").status_code == 403


def refuse(*_: Any, **__: Any) -> None:
    raise SignatureRefused("Wrong.", "signature_wrong")
