"""How many requests a minute a person, or an address that nobody is signed in at, may send: DRF's throttles."""

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
    """`scope`: the name in settings.RATE_LIMITS, which has requests a minute; 0 for as many as one likes."""

    scope: ClassVar[str] = "default"
    window_s: ClassVar[int] = MINUTE

    def allow_request(self, request: Request, view: "APIView") -> bool:
        self.wait_s = self.seconds_to_wait(request)
        return self.wait_s == 0

    def seconds_to_wait(self, request: Request | HttpRequest) -> float:
        """0 for a request that may go on, which is counted by that."""
        most = self.most()
        return counters().ask(lambda store: take_turn(store, self.key(request), most, self.window_s)) if most else 0

    def most(self) -> int:
        limits: dict[str, int] = settings.RATE_LIMITS
        return limits[self.scope]

    def wait(self) -> float:
        return self.wait_s

    def key(self, request: Request | HttpRequest) -> str:
        return f"limit:{self.scope}:{self.window_s}:{sender_of(request)}"


class AuthLimit(Limit):
    """Of what tries passwords, or sends mails: by address, whoever is signed in."""

    scope = "auth"

    def key(self, request: Request | HttpRequest) -> str:
        return f"limit:{self.scope}:{address_of(request)}"


class StreamLimit(Limit):
    scope = "stream"


class NewUploadLimit(Limit):
    """Of what begins an upload, each of which is rows, files and a cleanup; its parts are not counted."""

    scope = "upload"


class AddressQuestionLimit(AuthLimit):
    """Of the one route that tells whether an address has an account: enough for a form, not for a list."""

    scope = "address_question"


class AddressQuestionsADay(AddressQuestionLimit):
    scope = "address_questions_a_day"
    window_s = DAY


def sender_of(request: Request | HttpRequest) -> str:
    """The person, or where nobody is signed in the address."""
    user = request.user
    return f"user:{user.pk}" if isinstance(user, User) else address_of(request)


def address_of(request: Request | HttpRequest) -> str:
    return f"address:{network_of(request.META.get('REMOTE_ADDR', ''))}"
