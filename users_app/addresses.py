"""E-mail addresses: one spelling for each mailbox, and none that merely looks like another."""

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LONGEST = 254
NOT_VALID = "Enter a valid e-mail address."


def one_spelling(address: str) -> str:
    """Full-width and other look-alike forms folded, lower case, the domain as the DNS has it.

    What is no address comes back as some text that is no address either.
    """
    folded = unicodedata.normalize("NFKC", address).strip().lower()
    local, at, domain = folded.rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain


def check_address(address: str) -> str:
    """Its one spelling; ValidationError for what no mail server would take as it is.

    Quoted local parts may hold spaces and control characters; letters beyond ASCII may look like others. Mail servers
    that take either are rarer than people who try them to pass for somebody else.
    """
    spelling = one_spelling(address)
    if len(spelling) > LONGEST or not spelling.isascii() or '"' in spelling:
        raise ValidationError(NOT_VALID, code="invalid")
    validate_email(spelling)
    return spelling
