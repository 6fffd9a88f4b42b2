from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "content_app"
    verbose_name = "Films"

    def ready(self) -> None:
        from content_app import signals  # noqa: F401 - connects its receivers
