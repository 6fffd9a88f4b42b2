from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured

from config.env_file import shorten


class WiringConfig(AppConfig):
    """The commands, checks and folders that belong to the platform and to no app.

    It is the first of INSTALLED_APPS, and its ready() runs in every process: web server, workers, commands, tests.
    """

    name = "config"
    verbose_name = "Videoflix"

    def ready(self) -> None:
        from django.conf import settings

        from config import checks  # noqa: F401 - registers them

        for folder in (
            settings.DATA_DIR,
            settings.MEDIA_ROOT,
            settings.WORK_DIR,
            settings.FILE_UPLOAD_TEMP_DIR,
            settings.STATIC_CACHE,
        ):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                # Every program shows this error as one sentence.
                raise ImproperlyConfigured(
                    f"the folder {shorten(str(folder))} cannot be made ({error.strerror}): "
                    "set DATA_DIR or MEDIA_ROOT to another one."
                ) from error
