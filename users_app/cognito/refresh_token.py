"""The refresh token that clients get for one of a user pool: with what renewing it takes, and our signature.

Signed, because the pool's own says nothing that could be checked here: what this site has not handed out is refused
without asking the pool, and nobody renews a token under a name of their choice.
"""

import base64
import logging
import uuid
from dataclasses import dataclass

from django.core.signing import BadSignature, Signer

from users_app.cognito.faults import PoolUnavailable
from users_app.cognito.user_pool import UserPool
from users_app.tokens import BadToken

log = logging.getLogger(__name__)

LONGEST = 4000  # no cookie holds more, with its name
SEPARATOR = ":"


@dataclass(frozen=True, slots=True)
class Renewal:
    session_id: uuid.UUID
    username: str
    token: str


def wrap(pool: UserPool, renewal: Renewal) -> str:
    """Not as a JWT, which would be a third longer: the pool's token is long by itself. Raises PoolUnavailable."""
    parts = (renewal.session_id.hex, _encode(renewal.username), renewal.token)
    text = _signer(pool).sign(SEPARATOR.join(parts))
    if len(text) > LONGEST:
        log.error(
            "the refresh tokens of the user pool do not fit into a cookie: they have %d bytes", len(renewal.token)
        )
        raise PoolUnavailable
    return text


def unwrap(pool: UserPool, text: str) -> Renewal:
    """Raises BadToken."""
    if len(text) > LONGEST:
        raise BadToken
    try:
        session_id, username, token = _signer(pool).unsign(text).split(SEPARATOR)
    except (BadSignature, ValueError) as error:
        raise BadToken from error
    return Renewal(uuid.UUID(session_id), _decode(username), token)


def _signer(pool: UserPool) -> Signer:
    """What another app client has given is worth nothing to this one."""
    return Signer(salt=f"users_app.identity.refresh:{pool.client_id}", sep=SEPARATOR)


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(text: str) -> str:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
