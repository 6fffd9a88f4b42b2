from django.db import migrations

import content_app.models.revision


class Migration(migrations.Migration):
    dependencies = [
        ("content_app", "0014_reaper_rounds"),
    ]

    operations = [
        migrations.AddField("category", "revision", content_app.models.revision.RevisionField()),
        migrations.AddField("video", "revision", content_app.models.revision.RevisionField()),
        # Processes of the release before still write to this table until they end; a later release drops it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("CacheDoubt")]),
    ]
