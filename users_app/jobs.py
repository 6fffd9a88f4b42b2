"""The jobs that workers run: each takes an id, calls one service, and may safely run twice."""

from background.queue import told_where_it_comes_from
from users_app.services import mail


@told_where_it_comes_from
def send_mail(mail_id: int) -> None:
    """Send the mail; returns quietly when it was sent, was given up, or is being sent by another worker."""
    mail.send(mail_id=mail_id)
