"""DRF's throttles: how many requests a user may send, or a network address without a signed-in user."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from users_app.limits.counters import counters
from users_app.limits.rates import network_of, take_turn
from users_app.models import User

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module by its name in the settings

MINUTE = 60
DAY = 24 * 3600


class Limit(BaseThrottle):
    """`scope` names an entry of settings.RATE_LIMITS: requests in `window_s`, or 0 for no limit."""

    scope: ClassVar[str] = "default"
    window_s: ClassVar[int] = MINUTE

    def allow_request(self, request: Request, view: "APIView") -> bool:
        self.wait_s = self.seconds_to_wait(request)
        return self.wait_s == 0

    def seconds_to_wait(self, request: Request | HttpRequest) -> float:
        """Count the request; returns 0, or in how many seconds the client may try again."""
        limit: int = settings.RATE_LIMITS[self.scope]
        return counters().ask(lambda store: take_turn(store, self.key(request), limit, self.window_s)) if limit else 0

    def wait(self) -> float:
        return self.wait_s

    def key(self, request: Request | HttpRequest) -> str:
        user = request.user
        sender = f"user:{user.pk}" if isinstance(user, User) else address_of(request)
        return f"limit:{self.scope}:{self.window_s}:{sender}"


class AuthLimit(Limit):
    """For routes that check passwords or send mails: counted by network address, even for a signed-in user."""

    scope = "auth"

    def key(self, request: Request | HttpRequest) -> str:
        return f"limit:{self.scope}:{address_of(request)}"


class StreamLimit(Limit):
    scope = "stream"


class NewUploadLimit(Limit):
    """For routes that begin an upload, which costs rows, files and a cleanup; its parts are not counted."""

    scope = "upload"


class AddressQuestionLimit(AuthLimit):
    """For the one route that tells whether an address has an account: enough for a form, too few for trying a list."""

    scope = "address_question"


class AddressQuestionsADay(AddressQuestionLimit):
    scope = "address_questions_a_day"
    window_s = DAY


def address_of(request: Request | HttpRequest) -> str:
    return f"address:{network_of(request.META.get('REMOTE_ADDR', ''))}"
