"""The jobs of this app on the queue."""

from background.queue import HOUSEKEEPING, enqueue, keys_waiting

MAIL_TIMEOUT_S = 300


def enqueue_mail(mail_id: int) -> bool:
    return enqueue(HOUSEKEEPING, "users_app.jobs.send_mail", mail_id, timeout_s=MAIL_TIMEOUT_S)


def mails_waiting() -> set[int]:
    """Return the ids of the mails whose job waits on the queue; raises RedisError when Redis cannot be reached."""
    return keys_waiting(HOUSEKEEPING, "send_mail")
