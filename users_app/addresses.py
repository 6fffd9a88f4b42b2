"""E-mail addresses: one spelling for each mailbox, and no address that merely looks like another."""

import unicodedata
from contextlib import suppress

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

MAX_ADDRESS_LENGTH = 254
NOT_VALID = "Enter a valid e-mail address."


def normalize_address(address: str) -> str:
    """Return the address with look-alike characters folded (NFKC), in lower case, with its domain as the DNS has it.

    Raises nothing: a text that is not an address comes back as a text that is not an address either.
    """
    local, at, domain = unicodedata.normalize("NFKC", address).strip().lower().rpartition("@")
    if not domain.isascii():
        with suppress(idna.IDNAError, UnicodeError):
            domain = idna.encode(domain, uts46=True).decode("ascii")
    return f"{local}{at}{domain}"


def check_address(address: str) -> str:
    """Return the normalized address; raises ValidationError unless a mail server takes it in this spelling."""
    normalized = normalize_address(address)
    # Quoted local parts may hold spaces and control characters; letters beyond ASCII may look like others. Mail servers
    # that accept either are rarer than people who use them to pass for someone else.
    if len(normalized) > MAX_ADDRESS_LENGTH or not normalized.isascii() or '"' in normalized:
        raise ValidationError(NOT_VALID, code="invalid")
    validate_email(normalized)
    return normalized
