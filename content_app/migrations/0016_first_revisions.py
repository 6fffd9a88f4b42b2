"""Gives the rows that exist a revision that was never given before.

All of them have the default of the column by now. So had the rows of an older backup that was restored and migrated
once more, with other contents.
"""

from django.db import migrations

from content_app.models.revision import first_revision


def give_revisions(apps, schema_editor):
    for name in ("Category", "Video"):
        apps.get_model("content_app", name).objects.update(revision=first_revision())


class Migration(migrations.Migration):
    dependencies = [
        ("content_app", "0015_revisions"),
    ]

    operations = [migrations.RunPython(give_revisions, migrations.RunPython.noop, elidable=True)]
