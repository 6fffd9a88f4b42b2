from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("content_app", "0011_originals_that_must_be"),
    ]

    operations = [
        migrations.AddField(
            model_name="video",
            name="has_manifest",
            field=models.BooleanField(default=False, editable=False, help_text="Of DASH."),
        ),
    ]
