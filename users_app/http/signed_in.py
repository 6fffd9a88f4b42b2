"""The signed-in user of a request."""

from typing import cast

from rest_framework.request import Request

from users_app.models import User


def person_of(request: Request) -> User:
    """Return the signed-in user; only for views that require one, which is the default of this project."""
    return cast(User, request.user)
