from django.apps import AppConfig

CAPTIONS = "api/v1/videos/<video:ref>/captions/<str:language>"
POSTER = "api/v1/videos/<video:ref>/poster"
# What the services of films do not note themselves.
AUDITED = {
    ("POST", CAPTIONS): "captions_changed",
    ("DELETE", CAPTIONS): "captions_changed",
    ("PUT", POSTER): "poster_changed",
    ("POST", POSTER): "poster_changed",
    ("DELETE", POSTER): "poster_changed",
    ("PATCH", "api/v1/upload/videos/<video:ref>/status"): "transcoding_reported",
}

CHORES = (
    "content_app.services.processing.take_back_expired",
    "content_app.services.reaping.enqueue_waiting",
    "content_app.services.tus.sweep",
    "content_app.services.uploads.look_after",
    "content_app.metadata.look_after",
    "content_app.services.discards.remove_due",
    "content_app.services.encoding.sweep_scratch",
    "content_app.services.scratch.sweep_brief_folders",
    "content_app.services.sources.drop_kept",
    "content_app.services.reaping.sweep_incoming",
    "content_app.services.reaping.note_round",  # after all others
)


class ContentConfig(AppConfig):
    name = "content_app"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        from django.conf import settings

        from content_app import signals  # noqa: F401 - connects its receivers
        from content_app.services.favorites import favorite_ids_of
        from content_app.services.leaving import export_films, export_marks, remove_films_and_marks
        from media_pipeline.ffmpeg import run
        from users_app import audit
        from users_app.registry import account_erasure, account_export, chores, login_payload

        run.demand = settings.SANDBOX
        audit.register(AUDITED)
        chores.register(*CHORES)
        login_payload.register("favorite_videos", favorite_ids_of)
        account_export.register("favorites", export_marks)
        account_export.register("films", export_films)
        account_erasure.register(remove_films_and_marks)
