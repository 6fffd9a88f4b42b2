"""Chooses the provider of the accounts: this site, or a user pool of Amazon Cognito."""

from typing import Any

from django.conf import settings

from users_app.identity.local import LocalAccounts
from users_app.identity.provider import Provider


def accounts_provider() -> Provider[Any]:
    """Return the provider that the settings name; not cached, because tests change them."""
    if settings.USER_POOL is None:
        return LocalAccounts()
    from users_app.cognito.provider import PoolAccounts  # loads boto3, which no site without a pool needs

    return PoolAccounts(settings.USER_POOL)
