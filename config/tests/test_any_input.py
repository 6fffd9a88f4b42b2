"""Whatever is sent to the routes of accounts: generated from the schema, and never answered with an error of ours."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.hashers import make_password
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

from config.wsgi import django_application
from conftest import PASSWORD
from users_app.models import User
from users_app.services.sessions import open_session

PATHS = r"^/(users/|api/v1/(auth|users|audit)/)"
# Each of them costs a request for each of some fifty operations, twice.
EXAMPLES = 5
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
    """Requests would close the one in which the test's transaction is."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def operations(settings: Any) -> list[Any]:
    settings.ALLOWED_HOSTS = ["*"]
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", django_application)
    found: Any = schema.include(path_regex=PATHS).get_all_operations()
    return [one.ok() for one in found]


@pytest.fixture(params=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as it should be", "as it should not"])
def mode(request: Any) -> GenerationMode:
    kind: GenerationMode = request.param
    return kind


def send_all(operations: list[Any], mode: GenerationMode, headers: Callable[[], dict[str, str]]) -> int:
    """How many requests were sent; each answer is looked at."""
    sent = 0
    for operation in operations:

        @PATIENT
        @given(operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            nonlocal sent
            sent += 1
            response = case.call(headers={"Origin": "http://localhost", **headers()})
            case.validate_response(response, checks=[not_a_server_error])

        send()
    return sent


def test_strangers_may_send_anything(operations: list[Any], mode: GenerationMode) -> None:
    assert send_all(operations, mode, dict) >= len(operations)


def test_admins_may_send_anything(operations: list[Any], mode: GenerationMode, admin: User) -> None:
    """Whose session is opened anew each time: among what is sent is the end of all sessions."""

    def headers() -> dict[str, str]:
        User.objects.filter(pk=admin.pk).update(password=make_password(PASSWORD), is_active=True)
        return {"Authorization": f"Bearer {open_session(user=User.objects.get(pk=admin.pk)).access}"}

    assert send_all(operations, mode, headers) >= len(operations)
