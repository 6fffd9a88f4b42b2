from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("content_app", "0006_cache_doubt"),
    ]

    operations = [
        migrations.AddField(
            model_name="video",
            name="has_manifest",
            field=models.BooleanField(default=False, editable=False, help_text="Of DASH."),
        ),
    ]
