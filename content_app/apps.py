from django.apps import AppConfig

CAPTIONS = "api/v1/videos/<video:ref>/captions/<str:language>"
POSTER = "api/v1/videos/<video:ref>/poster"
# Actions for the audit trail that are known by their route; the services note all others themselves.
AUDITED = {
    ("POST", CAPTIONS): "captions_changed",
    ("DELETE", CAPTIONS): "captions_changed",
    ("PUT", POSTER): "poster_changed",
    ("POST", POSTER): "poster_changed",
    ("DELETE", POSTER): "poster_changed",
    ("PATCH", "api/v1/upload/videos/<video:ref>/status"): "transcoding_reported",
}


class ContentConfig(AppConfig):
    name = "content_app"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        from django.conf import settings

        from background.chores import chores
        from content_app import signals  # noqa: F401 - connects its receivers
        from content_app.chores import CHORES
        from content_app.services.catalogue.favorites import favorite_ids_of
        from content_app.services.catalogue.personal_data import export_films, export_marks, remove_films_and_marks
        from media_pipeline.ffmpeg import run
        from users_app import audit
        from users_app.hooks import account_erasure, account_export, login_payload

        run.demand = settings.SANDBOX
        audit.register(AUDITED)
        chores.register(*CHORES)
        login_payload.register("favorite_videos", favorite_ids_of)
        account_export.register("favorites", export_marks)
        account_export.register("films", export_films)
        account_erasure.register(remove_films_and_marks)
