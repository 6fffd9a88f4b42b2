from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("content_app", "0007_paid_means_a_price"),)

    operations = (
        migrations.AddConstraint(
            model_name="video",
            constraint=models.CheckConstraint(condition=models.Q(("price__gte", 0)), name="video_price_not_negative"),
        ),
        migrations.AddConstraint(
            model_name="video",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_paid", False), ("price__gt", 0), _connector="OR"),
                name="video_paid_means_a_price",
            ),
        ),
    )
