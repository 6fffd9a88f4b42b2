"""The secrets whose signatures this site accepts."""

from django.conf import settings


def secrets_in_use() -> tuple[str, ...]:
    """Return the current secret, which signs, and the former ones while they are being phased out."""
    return (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))
