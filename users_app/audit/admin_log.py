"""Notes what staff do in the admin site, which keeps a log of its own, for the audit trail."""

import json
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db.models.signals import post_save

from users_app import audit

ACTIONS = {ADDITION: "admin_added", CHANGE: "admin_changed", DELETION: "admin_deleted"}


def connect() -> None:
    post_save.connect(note, sender=LogEntry, dispatch_uid="users_app.audit.admin_log")


def note(instance: LogEntry, created: bool, **_: Any) -> None:
    """Note the names of the changed fields, never their values."""
    if not created or instance.action_flag not in ACTIONS:
        return
    try:
        changes = json.loads(instance.change_message or "[]")  # as Django writes it
    except ValueError:
        changes = []
    fields = [name for change in changes for name in change.get("changed", {}).get("fields", [])]
    kind = instance.content_type.model if instance.content_type else ""
    audit.note(ACTIONS[instance.action_flag], target=f"{kind}:{instance.object_id}", fields=fields)
