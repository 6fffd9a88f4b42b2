"""The signed-in user of a request."""

from typing import cast

from rest_framework.request import Request

from users_app.models import User


def person_of(request: Request) -> User:
    """Returns who is signed in. Only for views that require it, as all do unless they say otherwise (REST_FRAMEWORK)."""
    return cast(User, request.user)
