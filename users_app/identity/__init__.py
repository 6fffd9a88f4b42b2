"""Who keeps the accounts: this site, or a user pool of Amazon Cognito."""

from django.conf import settings

from users_app.identity.local import LocalAccounts
from users_app.identity.provider import Provider


def provider() -> Provider:
    """As the settings have it at this moment."""
    if settings.USER_POOL is None:
        return LocalAccounts()
    from users_app.identity.pool import PoolAccounts  # loads boto3, which nobody needs without a pool

    return PoolAccounts(settings.USER_POOL)
