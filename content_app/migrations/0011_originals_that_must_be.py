"""What must never be true of a video that plays."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("content_app", "0010_originals_that_play")]

    operations = [
        migrations.AddConstraint(
            "video",
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(version="") | Q(accepted_original=F("played_original")),
                name="video_ready_with_the_original_it_plays",
            ),
        ),
        migrations.AddConstraint(
            "video",
            models.CheckConstraint(condition=~Q(state="error") | Q(version=""), name="video_failed_plays_nothing"),
        ),
        migrations.AddConstraint(
            "video",
            models.CheckConstraint(
                condition=Q(played_original="") | ~Q(version=""), name="video_played_original_of_a_version"
            ),
        ),
    ]
