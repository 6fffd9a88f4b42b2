"""Runs, versions and chunks get tables of their own.

Nothing that the release before reads or writes is taken away: its columns of the film's table stay, get a default in
the database, and only leave the models (0019). A later release drops them.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# The columns that the processes of this release leave to their default.
BEFORE = {
    "text": {
        "accepted_original": 200, "original_etag": 100, "error_code": 40, "error_message": 500, "played_original": 200,
        "played_etag": 100, "played_name": 255, "refused_file": 255, "refused_code": 40, "refused_message": 500,
        "version": 32,
    },
    "small": ("progress", "attempts", "poster_choices"),
    "big": ("played_bytes", "size_bytes", "work_pixels"),
    "flag": ("error_is_final", "has_small_choices", "has_storyboard", "has_manifest"),
}  # fmt: skip


def with_default(name, field):
    return migrations.AlterField("video", name, field)


def defaults_in_the_database():
    for name, length in BEFORE["text"].items():
        yield with_default(name, models.CharField(max_length=length, blank=True, editable=False, db_default=""))
    for name in BEFORE["small"]:
        yield with_default(name, models.PositiveSmallIntegerField(default=0, editable=False, db_default=0))
    for name in BEFORE["big"]:
        yield with_default(name, models.PositiveBigIntegerField(default=0, editable=False, db_default=0))
    for name in BEFORE["flag"]:
        yield with_default(name, models.BooleanField(default=False, editable=False, db_default=False))
    yield with_default("work_s", models.FloatField(default=0, editable=False, db_default=0))
    yield with_default("state", models.CharField(max_length=10, editable=False, db_default="uploading"))


def out_of_the_way(name, field):
    """Renames a field of the models, so that a new one may have the name; the column keeps its own."""
    return migrations.SeparateDatabaseAndState(
        state_operations=[
            migrations.RenameField("video", name, f"{name}_before"),
            migrations.AlterField("video", f"{name}_before", field),
        ]
    )


class Migration(migrations.Migration):
    dependencies = [("content_app", "0016_first_revisions")]

    operations = [
        # They say what the columns of before mean to each other; the processes of this release do not write to those.
        migrations.RemoveConstraint("video", "video_ready_with_the_original_it_plays"),
        migrations.RemoveConstraint("video", "video_failed_plays_nothing"),
        migrations.RemoveConstraint("video", "video_played_original_of_a_version"),
        *defaults_in_the_database(),
        out_of_the_way(
            "version",
            models.CharField(max_length=32, blank=True, editable=False, db_default="", db_column="version"),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveIndex("video", "video_state_lease")],
        ),
        out_of_the_way(
            "state", models.CharField(max_length=10, editable=False, db_default="uploading", db_column="state")
        ),
        # A film that is deleted by this release leaves its rows there behind, until the table is dropped.
        migrations.AlterField(
            "rendition",
            "video",
            models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, to="content_app.video"),
        ),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Rendition")]),
        migrations.CreateModel(
            name="Run",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lease_token", models.UUIDField(editable=False, null=True, unique=True)),
                ("free_at", models.DateTimeField(editable=False, null=True)),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                (
                    "original",
                    models.CharField(
                        blank=True, help_text="The key; empty when the file was not kept.", max_length=200
                    ),
                ),
                ("etag", models.CharField(blank=True, max_length=100)),
                ("name", models.CharField(blank=True, help_text="As the uploader calls the file.", max_length=255)),
                ("size_bytes", models.PositiveBigIntegerField(default=0)),
                ("report", models.JSONField(null=True)),
                ("settings", models.JSONField(null=True)),
                ("verdict", models.JSONField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a worker"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("dropped", "Dropped for another file"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("time_left_s", models.PositiveIntegerField(null=True)),
                ("estimate_s", models.PositiveIntegerField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=40)),
                ("error_message", models.CharField(blank=True, max_length=500)),
                ("error_is_final", models.BooleanField(default=False, help_text="The same file fails the same way.")),
                ("ended_at", models.DateTimeField(null=True)),
                ("folder", models.CharField(blank=True, max_length=32)),
                ("work_pixels", models.PositiveBigIntegerField(default=0)),
                ("work_s", models.FloatField(default=0)),
                (
                    "video",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="content_app.video"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Chunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lease_token", models.UUIDField(editable=False, null=True, unique=True)),
                ("free_at", models.DateTimeField(editable=False, null=True)),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                ("number", models.PositiveIntegerField()),
                ("first_segment", models.PositiveIntegerField()),
                ("segments", models.PositiveIntegerField()),
                ("encoded_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="content_app.run"
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
            },
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("folder", models.CharField(help_text="Below the film's prefix in the storage.", max_length=32)),
                ("duration_s", models.FloatField(null=True)),
                ("width", models.PositiveIntegerField(null=True)),
                ("height", models.PositiveIntegerField(null=True)),
                ("size_bytes", models.PositiveBigIntegerField(default=0)),
                ("poster_choices", models.PositiveSmallIntegerField(default=0)),
                ("has_small_choices", models.BooleanField(default=False)),
                ("has_storyboard", models.BooleanField(default=False)),
                ("has_manifest", models.BooleanField(default=False, help_text="Of DASH.")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "video",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="content_app.video"
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.RESTRICT, related_name="version", to="content_app.run"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Rendition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="720p", max_length=16)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("frame_rate", models.CharField(help_text="As a fraction: 30000/1001.", max_length=24)),
                ("codecs", models.CharField(max_length=64)),
                ("peak_bps", models.PositiveBigIntegerField()),
                ("average_bps", models.PositiveBigIntegerField()),
                ("size_bytes", models.PositiveBigIntegerField()),
                ("frames", models.PositiveIntegerField()),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="renditions", to="content_app.version"
                    ),
                ),
            ],
            options={"ordering": ("height", "width"), "db_table": "content_app_version_rendition"},
        ),
        migrations.AddField(
            "video",
            "state",
            models.CharField(
                choices=[
                    ("uploading", "Uploading"),
                    ("pending", "Waiting for a worker"),
                    ("processing", "Processing"),
                    ("ready", "Ready"),
                    ("error", "Failed"),
                ],
                db_column="film_state",
                db_default="uploading",
                default="uploading",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddField(
            "video",
            "version",
            models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="content_app.version",
            ),
        ),
        migrations.AddField(
            "video",
            "run",
            models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="content_app.run",
            ),
        ),
        migrations.AddField(
            "video",
            "refusal",
            models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="content_app.run",
            ),
        ),
        migrations.AddField("directupload", "lease_token", models.UUIDField(editable=False, null=True, unique=True)),
        migrations.AddField(
            "directupload", "attempts", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("directupload", "checked_until", "free_at"),
                migrations.AlterField(
                    "directupload",
                    "free_at",
                    models.DateTimeField(db_column="checked_until", editable=False, null=True),
                ),
            ]
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("waiting", "running"))),
                fields=("video",),
                name="one_live_run_per_video",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("free_at__isnull", False), ("lease_token__isnull", False), ("state", "running")),
                    models.Q(models.Q(("state", "running"), _negated=True), ("lease_token", None)),
                    _connector="OR",
                ),
                name="run_is_leased_while_it_runs",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "failed"), models.Q(("error_code", ""), _negated=True)),
                    models.Q(models.Q(("state", "failed"), _negated=True), ("error_code", "")),
                    _connector="OR",
                ),
                name="run_failed_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("state__in", ("waiting", "running"))),
                    models.Q(
                        models.Q(("state__in", ("waiting", "running")), _negated=True), ("ended_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="run_ended_when_it_is_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("waiting", "running")), _negated=True),
                    models.Q(("original", ""), _negated=True),
                    _connector="OR",
                ),
                name="run_live_with_an_original",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "done"), _negated=True), models.Q(("folder", ""), _negated=True), _connector="OR"
                ),
                name="run_done_has_a_folder",
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="chunk_number_once_per_run"),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.UniqueConstraint(fields=("run", "first_segment"), name="chunk_segment_once_per_run"),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.CheckConstraint(condition=models.Q(("segments__gt", 0)), name="chunk_has_segments"),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.CheckConstraint(
                condition=models.Q(("encoded_at", None), ("lease_token", None), _connector="OR"),
                name="chunk_encoded_is_not_leased",
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.UniqueConstraint(fields=("video", "folder"), name="version_folder_once_per_video"),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.CheckConstraint(
                condition=models.Q(("folder", ""), _negated=True), name="version_has_a_folder"
            ),
        ),
        migrations.AddConstraint(
            model_name="rendition",
            constraint=models.UniqueConstraint(fields=("version", "name"), name="rendition_name_once_per_version"),
        ),
        migrations.AddConstraint(
            model_name="directupload",
            constraint=models.CheckConstraint(
                condition=models.Q(("settled_at", None), ("lease_token", None), _connector="OR"),
                name="upload_settled_is_not_leased",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["state", "free_at"], name="run_state_free"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["original"], name="run_original"),
        ),
    ]
