from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "content_app"
    verbose_name = "Films"

    def ready(self) -> None:
        from content_app import signals  # noqa: F401 - connects its receivers
        from content_app.services.favorites import favorite_ids
        from users_app.registry import login_payload

        login_payload.register("favorite_videos", favorite_ids)
