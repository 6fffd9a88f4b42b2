"""What staff do in the admin site, which keeps a log of its own, is in the audit trail too."""

import json
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db.models.signals import post_save

from users_app import audit

ACTIONS = {ADDITION: "admin_added", CHANGE: "admin_changed", DELETION: "admin_deleted"}


def connect() -> None:
    post_save.connect(note, sender=LogEntry, dispatch_uid="users_app.staff.admin_log")


def note(instance: LogEntry, created: bool, **_: Any) -> None:
    """With the names of the fields that changed, never with what is in them."""
    if created and instance.action_flag in ACTIONS:
        kind = instance.content_type.model if instance.content_type else ""
        action = ACTIONS[instance.action_flag]
        audit.note(action, target=f"{kind}:{instance.object_id}", fields=fields_of(instance.change_message))


def fields_of(message: str) -> list[str]:
    """Of the JSON that Django writes; none of anything else."""
    try:
        changes = json.loads(message or "[]")
    except ValueError:
        return []
    return [name for change in changes for name in change.get("changed", {}).get("fields", [])]
