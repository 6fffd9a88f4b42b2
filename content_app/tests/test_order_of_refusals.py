"""Which answer comes first when a request could be refused for several reasons, with the rate limits on."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from content_app.tests.factories import make_playable, make_video
from users_app.models import User
from users_app.services.sessions import open_session
from users_app.tests.conftest import SignIn

VIDEOS = "/api/v1/videos/"
NOWHERE = "/content/00000000-0000-4000-8000-000000000000/"
USED_UP = "/content/categories/"  # any route that counts against the limit

pytestmark = pytest.mark.usefixtures("enqueued")


@pytest.fixture
def sign_in() -> SignIn:
    """A client with its own token, because the limits depend on how a client is identified."""

    def sign_in(user: User, *, remember: bool = False) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(user=user).access}")
        return client

    return sign_in


@pytest.fixture
def limited(settings: Any) -> Callable[[APIClient], APIClient]:
    """A client that has used up its one request of the minute."""

    def use_up(client: APIClient) -> APIClient:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "default": 1, "auth": 1, "stream": 1}
        client.get(USED_UP)
        return client

    return use_up


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def too_much(client: APIClient, path: str) -> Any:
    """A body whose declared length alone has it refused."""
    return client.generic("POST", path, "{}", content_type="application/json", CONTENT_LENGTH="99999999999")


def test_a_body_that_is_too_large_is_refused_first(
    owner: User, sign_in: SignIn, limited: Callable[[APIClient], APIClient]
) -> None:
    for client in (APIClient(), limited(sign_in(owner))):
        assert refused(too_much(client, VIDEOS)) == (413, "too_large")


def test_strangers_get_401_however_often_they_ask(limited: Callable[[APIClient], APIClient], owner: User) -> None:
    """So strangers never learn whether a film exists."""
    film = make_playable(owner)
    stranger = limited(APIClient())
    for path in (USED_UP, NOWHERE, f"/content/{film.pk}/", f"{VIDEOS}{film.pk}/", f"/content/video-url/{film.pk}/"):
        assert refused(stranger.get(path))[0] == 401, path


def test_the_limit_comes_before_permissions(
    viewer: User, sign_in: SignIn, limited: Callable[[APIClient], APIClient]
) -> None:
    client = limited(sign_in(viewer))
    assert refused(client.get("/api/v1/users/")) == (429, "throttled")
    assert refused(client.get("/api/v1/audit/")) == (429, "throttled")


def test_the_limit_comes_before_the_lookup_of_the_film(
    owner: User, creator: User, sign_in: SignIn, limited: Callable[[APIClient], APIClient]
) -> None:
    """Otherwise a client could try ids faster than the limit allows."""
    client = limited(sign_in(creator))
    hidden = make_video(owner, visibility="PRIVATE")
    for path in (NOWHERE, f"/content/{hidden.pk}/", f"{VIDEOS}{hidden.pk}/"):
        assert refused(client.get(path)) == (429, "throttled"), path
    assert refused(client.delete(f"{VIDEOS}{hidden.pk}/")) == (429, "throttled")


def test_the_limit_comes_before_the_body_is_read(
    owner: User, sign_in: SignIn, limited: Callable[[APIClient], APIClient]
) -> None:
    client = limited(sign_in(owner))
    broken = client.generic("POST", "/content/add-favorite/", "{", content_type="application/json")
    assert refused(broken) == (429, "throttled")
    assert int(broken["Retry-After"]) > 0
    with_file = client.generic("POST", VIDEOS, "no form", content_type="multipart/form-data; boundary=x")
    assert refused(with_file) == (429, "throttled")


def test_the_limit_comes_before_the_check_of_a_password(owner: User, limited: Callable[[APIClient], APIClient]) -> None:
    client = limited(APIClient(HTTP_ORIGIN="http://testserver"))
    wrong = {"email": owner.email, "password": "wrong"}
    statuses = [client.post("/users/login/", wrong, format="json").status_code for _ in range(2)]
    assert statuses == [400, 429]
