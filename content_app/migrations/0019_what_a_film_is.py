"""What must never be true of a film, and the columns of the release before, which leave the models here.

On SQLite a later migration that builds the film's table anew drops those columns with it.
"""

from django.db import migrations, models

BEFORE = (
    "accepted_original",
    "attempts",
    "claim_token",
    "duration_s",
    "error_code",
    "error_is_final",
    "error_message",
    "estimate_s",
    "has_manifest",
    "has_small_choices",
    "has_storyboard",
    "height",
    "lease_until",
    "original_etag",
    "played_bytes",
    "played_etag",
    "played_name",
    "played_original",
    "played_verdict",
    "poster_choices",
    "progress",
    "queued_at",
    "refused_at",
    "refused_code",
    "refused_file",
    "refused_message",
    "size_bytes",
    "state_before",
    "time_left_s",
    "verdict",
    "version_before",
    "width",
    "work_pixels",
    "work_s",
)


class Migration(migrations.Migration):
    dependencies = [("content_app", "0018_films_and_how_they_were_made")]

    operations = [
        migrations.AddConstraint(
            model_name="video",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "ready"), _negated=True), ("version__isnull", False), _connector="OR"
                ),
                name="video_ready_means_a_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="video",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("state", "error"), _negated=True), ("version", None), _connector="OR"),
                name="video_failed_means_no_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="video",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "uploading"), ("run__isnull", False), _connector="OR"),
                name="video_made_by_a_run",
            ),
        ),
        migrations.AddIndex(
            model_name="video",
            index=models.Index(fields=["state"], name="video_state"),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("video", name) for name in BEFORE],
        ),
    ]
