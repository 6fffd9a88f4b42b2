"""What workers run: each job takes an id, asks one service, and may safely run twice."""

from background.queue import told_where_it_comes_from
from users_app.services import mail


@told_where_it_comes_from
def send_mail(mail_id: int) -> None:
    """Leaves quietly when the mail is sent, given up, or in another worker's hands."""
    mail.send(mail_id=mail_id)
