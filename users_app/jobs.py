"""The jobs that workers run: each takes an id, calls one service, and may safely run twice."""

from background.queue import logged_with_its_origin
from users_app.services import mail


@logged_with_its_origin
def send_mail(mail_id: int) -> None:
    """Send the mail; returns quietly when it was sent, was given up, or is being sent by another worker."""
    mail.send(mail_id=mail_id)
