"""The store that the settings describe."""

from django.conf import settings

from media_pipeline.store import LocalStore


def get_store() -> LocalStore:
    return LocalStore(settings.MEDIA_ROOT)
