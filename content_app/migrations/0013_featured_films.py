import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("content_app", "0012_dash_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="favorite",
            options={"ordering": ("-created_at", "-id"), "verbose_name": "favourite"},
        ),
        migrations.AlterModelOptions(
            name="video",
            options={"ordering": ("-created_at", "-id"), "verbose_name": "film"},
        ),
        migrations.AddField(
            model_name="video",
            name="is_featured",
            field=models.BooleanField(default=False, editable=False, verbose_name="featured"),
        ),
        migrations.AlterField(
            model_name="favorite",
            name="created_at",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="marked"),
        ),
        migrations.AlterField(
            model_name="favorite",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="favorites",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AlterField(
            model_name="favorite",
            name="video",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="favorites",
                to="content_app.video",
                verbose_name="film",
            ),
        ),
        migrations.AddConstraint(
            model_name="video",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_featured", True)), fields=("is_featured",), name="one_featured_video"
            ),
        ),
    ]
