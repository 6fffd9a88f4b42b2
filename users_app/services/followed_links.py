"""Resolves a link in a mail to the account that it was made for, as long as that account has not changed since."""

from django.utils.crypto import constant_time_compare
from django.utils.http import urlsafe_base64_decode

from background.refusals import Refusal
from users_app.models import User
from users_app.tokens import BadToken, LinkPurpose, account_mark, read_link


class InvalidLink(Refusal):
    sentence = "This link is not valid. It may have been used already. Please request a new one."
    code = "invalid_link"


class ExpiredLink(InvalidLink):
    sentence = "This link has expired. Please request a new one."
    code = "link_expired"


def follow(purpose: LinkPurpose, *, uid: str, token: str) -> tuple[User, str]:
    """Return the account and the address that the link was made for; raises InvalidLink or ExpiredLink."""
    try:
        claims = read_link(purpose, token)
    except BadToken as error:
        raise (ExpiredLink if error.get_codes() == "token_expired" else InvalidLink) from error
    try:
        linked_id = int(urlsafe_base64_decode(uid))
    except ValueError as error:
        raise InvalidLink from error
    user = User.objects.filter(pk=claims.user_id, erased_at=None).first()
    if user is None or user.pk != linked_id or not constant_time_compare(claims.account_mark, account_mark(user)):
        raise InvalidLink
    return user, claims.email
