"""The secrets whose signatures this site believes."""

from django.conf import settings


def secrets_in_use() -> tuple[str, ...]:
    """The current secret, which signs, and former ones while they are being phased out."""
    return (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))
