"""Viewers get addresses of pictures. However an address is changed, it opens no object but its own."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from config.http.media_server import MediaServer
from content_app.states import Visibility
from tests.addresses import POSTERS, Film, build_films, crawl, overreach, starting_points
from tests.ceph import Ceph
from tests.client import Answer, Client
from tests.nginx import Nginx
from tests.services import Platform, started, web_alone
from users_app.models import User
from users_app.tokens import AccessToken

SOME_POSTERS = ("candidate",)
VIEWER, PASSWORD = "their-viewer@example.com", "correct horse battery staple"
BUILD = (
    "from tests.addresses import tell_films; from users_app.models import User; "
    f"User.objects.create_user({VIEWER!r}, {PASSWORD!r}, name='viewer'); tell_films(*{SOME_POSTERS!r})"
)


def films_on(platform: Platform) -> list[Film]:
    built = platform.manage("shell", "-v0", "-c", BUILD)
    assert built.returncode == 0, built.stderr
    return [Film(**fields) for fields in json.loads(built.stdout)]


def keys_of_folder(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


def check_what_they_open(stranger: Any, viewer: Any, origin: str, films: list[Film], keys: list[str]) -> None:
    """`stranger` and `viewer` are functions that send GET; the link holder is a viewer who knows every public id."""
    schema = stranger("/api/schema/?format=json").json()
    ids, public_ids = [film.pk for film in films], [film.public_id for film in films]
    everything = starting_points(schema, public_ids, public_ids)
    of_stranger = crawl(stranger, origin, everything)
    of_viewer = crawl(viewer, origin, starting_points(schema, ids, []))
    of_link_holder = crawl(viewer, origin, everything)

    assert of_stranger == {}
    by_link = {Visibility.PUBLIC, Visibility.UNLISTED}
    for media, seen in ((of_viewer, {Visibility.PUBLIC}), (of_link_holder, by_link)):
        # The crawl has found a picture of each film that this user may know of, so the test below tries something.
        shown = {film.public_id for film in films if any(film.public_id in address for address in media)}
        assert shown == {
            film.public_id for film in films if film.visibility in seen and (film.poster or not film.is_paid)
        }
    assert overreach(stranger, of_link_holder | of_viewer, keys, films) == []


# --- the media server alone, with every kind of film -----------------------------------------------------------------


@pytest.fixture
def without_nginx() -> Callable[[APIClient], Callable[[str], Answer]]:
    """Returns functions that get media from the media server in this process, and everything else from Django."""

    def of(client: APIClient) -> Callable[[str], Answer]:
        def get(url: str) -> Answer:
            parts = urlsplit(url)
            if parts.path.startswith("/media/") and not parts.path.startswith("/media/posters/"):
                return media(parts.path)
            response = client.get(parts.path, QUERY_STRING=parts.query)
            headers = {name.lower(): value for name, value in response.items()}
            return Answer(response.status_code, headers, response.getvalue())

        return get

    return of


def no_application(*_: Any) -> Any:
    raise AssertionError("the media server passed an address of media on")


def media(path: str) -> Answer:
    environ: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    seen: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        seen.extend((int(status[:3]), {name.lower(): value for name, value in headers}))

    body: Any = MediaServer(no_application)(environ, start_response)
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return Answer(seen[0], seen[1], content)


def test_no_address_opens_anything_but_itself(viewer: User, without_nginx: Callable[[APIClient], Any]) -> None:
    films = build_films(POSTERS)
    keys = keys_of_folder(Path(settings.MEDIA_ROOT))
    of_viewer = APIClient(HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(viewer)}")
    stranger, signed_in = without_nginx(APIClient()), without_nginx(of_viewer)
    check_what_they_open(stranger, signed_in, "http://testserver", films, keys)


# --- Nginx, and a bucket ---------------------------------------------------------------------------------------------


@pytest.fixture
def behind_nginx(tmp_path: Path, prepared_database: Path) -> Iterator[tuple[Platform, Nginx]]:
    with web_alone(tmp_path, prepared_database) as platform, started(Nginx(platform, NGINX_RATE_ANY="100000")) as nginx:
        yield platform, nginx


def test_no_address_opens_anything_but_itself_through_nginx(behind_nginx: tuple[Platform, Nginx]) -> None:
    platform, nginx = behind_nginx
    films = films_on(platform)
    stranger, viewer = Client(nginx.origin), Client(nginx.origin)
    viewer.cookies = platform.sign_in(VIEWER, PASSWORD).cookies
    keys = keys_of_folder(Path(platform.env["MEDIA_ROOT"]))
    check_what_they_open(stranger.get, viewer.get, nginx.origin, films, keys)


def test_no_address_opens_anything_but_itself_in_a_bucket(on_bucket: Platform, s3_server: Ceph, bucket: str) -> None:
    films = films_on(on_bucket)
    found = s3_server.client().list_objects_v2(Bucket=bucket)["Contents"]
    keys = [one["Key"] for one in found if any(film.public_id in one["Key"] for film in films)]
    viewer = on_bucket.sign_in(VIEWER, PASSWORD)

    def get(client: Client, url: str) -> Answer:
        parts = urlsplit(url)
        is_here = url.startswith(("/", f"{client.origin}/"))
        return client.get(url) if is_here else Client(f"{parts.scheme}://{parts.netloc}").get(url)

    stranger = Client(on_bucket.origin)
    check_what_they_open(lambda url: get(stranger, url), lambda url: get(viewer, url), on_bucket.origin, films, keys)
