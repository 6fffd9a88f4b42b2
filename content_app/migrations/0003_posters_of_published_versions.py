"""Versions that were published before posters could be chosen show the one they have."""

from django.db import migrations
from django.db.models import F, Value
from django.db.models.functions import Concat


def point_at_the_poster_of_the_version(apps, schema_editor):
    videos = apps.get_model("content_app", "Video").objects.filter(poster="").exclude(version="")
    videos.update(poster=Concat(F("version"), Value("/poster.jpg")), poster_choices=1)


class Migration(migrations.Migration):
    dependencies = [("content_app", "0002_posters_captions_and_verdicts")]

    operations = [migrations.RunPython(point_at_the_poster_of_the_version, migrations.RunPython.noop)]
