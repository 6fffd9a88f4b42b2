"""The signed-in user of a request."""

from typing import cast

from rest_framework.request import Request

from users_app.models import User


def person_of(request: Request) -> User:
    """Returns who is signed in; only for views that require it, which is the default of this project."""
    return cast(User, request.user)
