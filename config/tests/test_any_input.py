"""Requests to every route, generated from the schema: none is answered with a server error."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.hashers import make_password
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from config.wsgi import django_application
from conftest import PASSWORD
from content_app.models import DirectUpload, Video
from content_app.services.uploads import direct_uploads, tus
from content_app.tests.factories import make_caption, make_playable, make_video, store_objects
from users_app.http.service_authentication import GATEWAY_HEADER
from users_app.models import User
from users_app.roles import Role
from users_app.services.sessions import open_session

# Each example is a request to some eighty operations, well-formed and malformed, by five kinds of client.
EXAMPLES = 2
# Any text is a possible key, and a route without parameters cannot get a wrong one.
NEVER_WRONG = {"GET /health/", "GET /api/v1/upload/videos/by-key/{s3_key}/"}
BAD_REQUEST, SERVER_ERROR = 400, 500
GATEWAY_SECRET = "a-secret-of-the-gateway-0123456789"
PATIENT = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keeps requests from closing the connection that holds the transaction of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def operations(settings: Any) -> list[Any]:
    settings.ALLOWED_HOSTS = ["*"]
    settings.GATEWAY_SHARED_SECRET = GATEWAY_SECRET
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", django_application)
    found: Any = schema.get_all_operations()
    return [one.ok() for one in found]


@pytest.fixture(params=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as it should be", "as it should not"])
def mode(request: Any) -> GenerationMode:
    kind: GenerationMode = request.param
    return kind


class Stage:
    """The objects that paths name. They are restored before each request, because any request may remove them."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        self.film = make_playable(owner)
        store_objects(self.film, storyboard_vtt=b"WEBVTT\n", captions_de_vtt=b"WEBVTT\n", **{"360p_mp4": b"a film"})
        make_caption(self.film)
        self.waiting = make_video(owner, title="Without a file")
        self.sent = 0

    def prepare(self, case: Any) -> None:
        """Puts an existing object into the path of two of three requests; the others keep the generated one."""
        self.sent += 1
        if self.sent % 3 == 0:
            return
        there_is = {"ref": self.refs(), "language": ["de"], "quality": ["360p"], "user_id": [self.owner.pk]}
        for name in set(case.path_parameters) & {*there_is, "public_id"}:
            choices = there_is[name] if name in there_is else [self.upload_id()]
            case.path_parameters[name] = choices[self.sent // 3 % len(choices)]

    def refs(self) -> list[Any]:
        Video.objects.filter(pk__in=(self.film.pk, self.waiting.pk)).update(deleted_at=None, owner=self.owner)
        return [self.film.pk, self.film.public_id, self.waiting.pk]

    def upload_id(self) -> Any:
        """Begins an upload by tus and cancels the former one. Returns its id."""
        for other in DirectUpload.objects.filter(owner=self.owner, arrived_at=None):
            tus.cancel(upload=other)
        upload = direct_uploads.announce(owner=self.owner, name="film.mp4", content_type="video/mp4", size_bytes=10)
        tus.begin(upload=upload)
        return upload.public_id

    def token(self, person: User, role: Role) -> dict[str, str]:
        """Signs in anew for each request, because other requests may have ended sessions, accounts and roles."""
        is_admin = role == Role.ADMIN
        fields = {"role": role, "is_active": True, "is_staff": is_admin, "is_superuser": is_admin}
        User.objects.filter(pk=person.pk).update(password=make_password(PASSWORD), **fields)
        return {"Authorization": f"Bearer {open_session(user=User.objects.get(pk=person.pk)).access}"}


@pytest.fixture
def stage(owner: User) -> Stage:
    return Stage(owner)


@schemathesis.serializer("application/offset+octet-stream")
def as_chunk(ctx: Any, value: Any) -> bytes:
    """Returns the body of a chunk by tus for a generated value."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@schemathesis.check
def is_no_fault(ctx: Any, response: Any, case: Any) -> None:
    """Asserts that each server error is in the schema (as for a service that is down) and each refusal has a code."""
    is_documented = str(response.status_code) in case.operation.definition.raw["responses"]
    assert response.status_code < SERVER_ERROR or is_documented, f"{response.status_code}: {response.text[:500]}"
    if BAD_REQUEST <= response.status_code < SERVER_ERROR:
        assert "code" in response.json(), response.text[:500]


def send_all(operations: list[Any], stage: Stage, mode: GenerationMode, headers: Callable[[], dict[str, str]]) -> None:
    is_wrong = mode == GenerationMode.NEGATIVE
    for operation in operations:
        if is_wrong and operation.label in NEVER_WRONG:
            continue

        @PATIENT
        @given(operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            stage.prepare(case)
            response = case.call(headers={"Origin": "http://localhost", **headers()})
            case.validate_response(response, checks=[is_no_fault])

        before = stage.sent
        send()
        assert stage.sent > before


def test_strangers_may_send_anything(operations: list[Any], stage: Stage, mode: GenerationMode) -> None:
    send_all(operations, stage, mode, dict)


def test_services_may_send_anything(operations: list[Any], stage: Stage, mode: GenerationMode) -> None:
    theirs = [one for one in operations if "services" in one.definition.raw["tags"]]
    assert theirs
    send_all(theirs, stage, mode, lambda: {GATEWAY_HEADER: GATEWAY_SECRET})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CREATOR, Role.ADMIN])
def test_people_may_send_anything(
    role: Role, operations: list[Any], stage: Stage, mode: GenerationMode, owner: User, viewer: User, admin: User
) -> None:
    """Creators get the ids of their own films, others those of a creator."""
    person = {Role.VIEWER: viewer, Role.CREATOR: owner, Role.ADMIN: admin}[role]
    send_all(operations, stage, mode, lambda: stage.token(person, role))
