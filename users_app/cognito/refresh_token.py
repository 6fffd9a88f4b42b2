"""The refresh token that clients get where a user pool keeps the accounts: the pool's own in a signed envelope.

The envelope names the session, and the username that a renewal needs. This site signs it because nothing in the pool's
token can be checked here: a token that this site has not issued is refused without asking the pool, and no client
renews a token under a username of its choice.
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

MAX_LENGTH = 4000  # browsers accept no longer cookie, its name included
SEPARATOR = ":"


@dataclass(frozen=True, slots=True)
class Renewal:
    session_id: uuid.UUID
    username: str
    token: str


def wrap(pool: UserPool, renewal: Renewal) -> str:
    """Return the token for the client. Raises PoolUnavailable for one that would not fit into a cookie."""
    # Not a JWT, which would be a third longer: the pool's token is long by itself.
    username = base64.urlsafe_b64encode(renewal.username.encode()).decode().rstrip("=")
    text = _signer(pool).sign(SEPARATOR.join((renewal.session_id.hex, username, renewal.token)))
    if len(text) > MAX_LENGTH:
        log.error(
            "the refresh tokens of the user pool do not fit into a cookie: they have %d bytes", len(renewal.token)
        )
        raise PoolUnavailable
    return text


def unwrap(pool: UserPool, text: str) -> Renewal:
    """Return the content of a token that `wrap` made for this pool. Raises BadToken for any other text."""
    if len(text) > MAX_LENGTH:
        raise BadToken
    try:
        session_id, username, token = _signer(pool).unsign(text).split(SEPARATOR)
    except (BadSignature, ValueError) as error:
        raise BadToken from error
    padding = "=" * (-len(username) % 4)
    return Renewal(uuid.UUID(session_id), base64.urlsafe_b64decode(username + padding).decode(), token)


def _signer(pool: UserPool) -> Signer:
    """Return the signer of this app client, which refuses the tokens of other app clients."""
    return Signer(salt=f"users_app.identity.refresh:{pool.client_id}", sep=SEPARATOR)
