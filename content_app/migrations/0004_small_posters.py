"""Posters come in two sizes; those that were made before have one, which stays a fact about them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("content_app", "0003_posters_of_published_versions")]

    operations = [
        migrations.AddField("video", "has_small_poster", models.BooleanField(default=False, editable=False)),
        migrations.AddField("video", "has_small_choices", models.BooleanField(default=False, editable=False)),
    ]
