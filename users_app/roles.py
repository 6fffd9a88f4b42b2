"""What each role may do, in one place."""

from django.db import models


class Role(models.TextChoices):
    ADMIN = "ADMIN", "Admin"
    CREATOR = "CREATOR", "Creator"
    VIEWER = "VIEWER", "Viewer"


UPLOADERS = frozenset({Role.ADMIN, Role.CREATOR})
OVERSEERS = frozenset({Role.ADMIN})


def may_upload(role: str) -> bool:
    return role in UPLOADERS


def may_manage_all(role: str) -> bool:
    """True when the role may see and change every video and every user."""
    return role in OVERSEERS
