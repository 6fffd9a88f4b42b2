import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("content_app", "0013_featured_films"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReaperRound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ended_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
    ]
