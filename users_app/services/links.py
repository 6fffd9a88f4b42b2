"""Following a link of a mail: to the account it was made for, as long as that is as it was then."""

from django.utils.crypto import constant_time_compare
from django.utils.http import urlsafe_base64_decode

from background.refusals import Refusal
from users_app.models import User
from users_app.tokens import BadToken, LinkPurpose, account_mark, read_link


class InvalidLink(Refusal):
    sentence = "This link is not valid. It may have been used already; have another one sent."
    code = "invalid_link"


class ExpiredLink(InvalidLink):
    sentence = "This link has expired. Have another one sent."
    code = "link_expired"


def follow(purpose: LinkPurpose, *, uid: str, token: str) -> User:
    return follow_to(purpose, uid=uid, token=token)[0]


def follow_to(purpose: LinkPurpose, *, uid: str, token: str) -> tuple[User, str]:
    """The account, and the address that the link was made for; InvalidLink unless everything fits."""
    try:
        claims = read_link(purpose, token)
    except BadToken as error:
        raise (ExpiredLink if error.get_codes() == "token_expired" else InvalidLink) from error
    user = User.objects.filter(pk=claims.user_id, erased_at=None).first()
    if user is None or _number(uid) != user.pk or not constant_time_compare(claims.account_mark, account_mark(user)):
        raise InvalidLink
    return user, claims.email


def _number(uid: str) -> int | None:
    try:
        return int(urlsafe_base64_decode(uid))
    except ValueError:
        return None
