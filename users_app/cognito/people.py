"""Accounts of this site for the people of a user pool: the pool says who they are, and the account what they may do."""

import logging

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from background.refusals import Kind, Refusal
from users_app import audit
from users_app.addresses import check_address
from users_app.cognito.tokens import Identity
from users_app.models import MAX_NAME_LENGTH, User
from users_app.roles import Role
from users_app.services.accounts import InvalidCredentials

log = logging.getLogger(__name__)


class AddressNotConfirmed(Refusal):
    """The answer is the same whether or not an account has the address: an unconfirmed one leads to no account."""

    kind = Kind.FORBIDDEN
    sentence = "The identity provider knows no confirmed e-mail address of yours."
    code = "address_not_confirmed"


def keep_until_first_sign_in(*, sub: str, email: str, name: str, phone: str, address: str) -> None:
    """Store what a new person has typed, for the first sign-in; an account that is in use stays as it is."""
    typed = {"name": name, "phone": phone, "address": address}
    fields = {**typed, "cognito_sub": sub, "password": make_password(None)}
    waiting = {"email": email, "is_active": False, "awaits_confirmation": True}
    try:
        with transaction.atomic():
            if not User.objects.filter(**waiting).update(**fields):
                User.objects.create(**waiting, **fields)
    except IntegrityError:
        pass  # the address belongs to an account; the first sign-in decides whether that is linked to this person


def mirror(identity: Identity) -> User:
    """Make or update the account of a person whom the pool has just signed in, and return it.

    Raises InvalidCredentials for an account that staff have closed, AddressNotConfirmed where the pool has confirmed
    no address.
    """
    try:
        with transaction.atomic():
            user = _mirror(identity)
    except IntegrityError:  # the same person signed in on another device at this moment, and was first
        with transaction.atomic():
            user = _mirror(identity)
    if not user.is_active:
        raise InvalidCredentials
    return user


def _mirror(identity: Identity) -> User:
    email = confirmed_address(identity)
    user = User.objects.filter(cognito_sub=identity.sub).first()
    if user is not None and not user.awaits_confirmation:
        if user.is_active:
            _copy_changes(user, email, identity)
        return user
    if not email:
        raise AddressNotConfirmed
    if user is not None and user.email != email:
        user.delete()  # a registration for an address that was never confirmed
        user = None
    user = user or User.objects.filter(email=email).first()
    if user is None:
        return User.objects.create_user(
            email, None, name=_name(identity), email_verified=True, cognito_sub=identity.sub
        )
    return _link(user, identity)


def confirmed_address(identity: Identity) -> str:
    """Return the normalized address, or "" where the pool has not confirmed it or this site would not accept it."""
    if not identity.is_email_verified:
        return ""
    try:
        return check_address(identity.email)
    except ValidationError:
        return ""


def _link(user: User, identity: Identity) -> User:
    """Link the account that has this person's address to the person; one that staff have closed stays as it is."""
    if not user.is_active and not user.awaits_confirmation:
        return user
    if user.role == Role.ADMIN and user.cognito_sub not in (None, identity.sub):
        log.warning("account %s is an admin's whom the pool knew by another id: make it a viewer first", user.pk)
        raise InvalidCredentials
    if user.cognito_sub != identity.sub:
        if user.cognito_sub is not None:
            log.warning("account %s belonged to another person of the user pool, who had the same address", user.pk)
        audit.note("account_linked", target=f"user:{user.pk}")
        if user.awaits_confirmation:  # the person who typed these has not proved to have the mailbox
            user.name = user.phone = user.address = ""
    user.name = user.name or _name(identity)
    user.cognito_sub = identity.sub
    user.email_verified = user.is_active = True
    user.awaits_confirmation = False
    # A stranger may have chosen the password. That of staff stays, because the admin site asks for it.
    if not user.is_staff:
        user.set_unusable_password()
    user.save()
    return user


def _copy_changes(user: User, email: str, identity: Identity) -> None:
    """Copy a new address from the pool, and the name while the account has none."""
    changes: dict[str, str | bool] = {}
    if email and email != user.email:
        if User.objects.filter(email=email).exists():
            log.warning("account %s keeps its address: another account has the new one of the user pool", user.pk)
        else:
            changes["email"] = email
    if email in (user.email, changes.get("email")) and not user.email_verified:
        changes["email_verified"] = True
    if not user.name and (name := _name(identity)):
        changes["name"] = name
    for field, value in changes.items():
        setattr(user, field, value)
    if changes:
        user.save(update_fields=list(changes))


def _name(identity: Identity) -> str:
    # PostgreSQL does not store NUL, and no name needs other control characters.
    return "".join(character for character in identity.name if character.isprintable()).strip()[:MAX_NAME_LENGTH]
