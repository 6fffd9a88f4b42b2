"""Checks for `manage.py doctor` whether a user pool and this site are set up for each other."""

from contextlib import suppress

from jwt import PyJWTError

from users_app.cognito import pool_api
from users_app.cognito.faults import PoolBusy, PoolUnavailable
from users_app.cognito.pool_api import PoolRefused
from users_app.cognito.public_keys import PoolKeys
from users_app.cognito.user_pool import UserPool

UNKNOWN_ADDRESS = "nobody@videoflix.invalid"


class PoolUnfit(Exception):
    """The message says why the pool cannot be used, and which settings to check."""


def try_pool(pool: UserPool) -> str:
    """Return the pool's id and the number of its keys as a text. Raises PoolUnfit."""
    try:
        keys = PoolKeys(pool.keys_url, pool.timeout_s).get_jwk_set().keys
    except PyJWTError as error:
        raise PoolUnfit(
            f"Its keys cannot be fetched ({error}): check COGNITO_USER_POOL_ID and COGNITO_JWKS_URL."
        ) from error
    try:
        # The pool refuses an unknown person only after it has accepted this site: its client id, secret and flow.
        with suppress(PoolRefused, PoolBusy):
            pool_api.sign_in(pool, email=UNKNOWN_ADDRESS, password="Not-a-password-1")  # noqa: S106 - no account's
    except PoolUnavailable as error:
        reason = error.__cause__ or error
        raise PoolUnfit(
            f"It takes no sign-in of this site ({reason}): check COGNITO_CLIENT_ID and its secret."
        ) from error
    return f"{pool.id}, {len(keys)} keys"
