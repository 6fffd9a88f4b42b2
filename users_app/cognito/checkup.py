"""Whether a user pool and this site are set up for each other; for `manage.py doctor`."""

from contextlib import suppress

from users_app.cognito import pool_api
from users_app.cognito.faults import PoolBusy, PoolUnavailable
from users_app.cognito.pool_api import PoolRefused
from users_app.cognito.public_keys import KeysUnavailable, fetch_keys
from users_app.cognito.user_pool import UserPool

NOBODY = "nobody@videoflix.invalid"


class PoolUnfit(Exception):
    """Says why, and what to look at."""


def try_pool(pool: UserPool) -> str:
    """Which pool it is. Raises PoolUnfit."""
    try:
        keys = fetch_keys(pool.keys_url, timeout_s=pool.timeout_s)
    except KeysUnavailable as error:
        raise PoolUnfit(
            f"Its keys cannot be had ({error}): check COGNITO_USER_POOL_ID and COGNITO_JWKS_URL."
        ) from error
    try:
        # That nobody is refused, and not this site, proves client, secret and the flow of signing in.
        with suppress(PoolRefused, PoolBusy):
            pool_api.sign_in(pool, email=NOBODY, password="Not-a-password-1")  # noqa: S106 - nobody's
    except PoolUnavailable as error:
        reason = error.__cause__ or error
        raise PoolUnfit(
            f"It takes no sign-in of this site ({reason}): check COGNITO_CLIENT_ID and its secret."
        ) from error
    return f"{pool.id}, {len(keys)} keys"
