"""What is kept of the original that plays while another is tried, and what else is told about making a version."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def add(name: str, field: "models.Field[object, object]") -> migrations.AddField:
    return migrations.AddField("video", name, field)


class Migration(migrations.Migration):
    dependencies = [
        ("content_app", "0008_price_constraints"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        add("played_original", models.CharField(blank=True, editable=False, max_length=200)),
        add("played_etag", models.CharField(blank=True, editable=False, max_length=100)),
        add("played_name", models.CharField(blank=True, editable=False, max_length=255)),
        add("played_bytes", models.PositiveBigIntegerField(default=0, editable=False)),
        add("played_verdict", models.JSONField(editable=False, null=True)),
        add("refused_file", models.CharField(blank=True, editable=False, max_length=255)),
        add("refused_code", models.CharField(blank=True, editable=False, max_length=40)),
        add("refused_message", models.CharField(blank=True, editable=False, max_length=500)),
        add("refused_at", models.DateTimeField(editable=False, null=True)),
        add(
            "error_is_final",
            models.BooleanField(default=False, editable=False, help_text="The same file fails the same way."),
        ),
        add("queued_at", models.DateTimeField(editable=False, null=True)),
        add("estimate_s", models.PositiveIntegerField(editable=False, null=True)),
        add(
            "deleted_by",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
