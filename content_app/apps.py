from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "content_app"
    verbose_name = "Films"

    def ready(self) -> None:
        from content_app import signals  # noqa: F401 - connects its receivers
        from content_app.services.favorites import favorite_ids_of
        from content_app.services.leaving import export_films, export_marks, remove_films_and_marks
        from users_app.registry import account_erasure, account_export, login_payload

        login_payload.register("favorite_videos", favorite_ids_of)
        account_export.register("favorites", export_marks)
        account_export.register("films", export_films)
        account_erasure.register(remove_films_and_marks)
