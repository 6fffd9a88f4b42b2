"""A mail is leased by a token; its columns `attempts` and `try_at` keep their names in the database."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users_app", "0008_people")]

    operations = [
        migrations.AddField("mail", "lease_token", models.UUIDField(editable=False, null=True, unique=True)),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("mail", "mail_waiting"),
                migrations.RenameField("mail", "try_at", "free_at"),
                migrations.AlterField(
                    "mail", "free_at", models.DateTimeField(db_column="try_at", default=django.utils.timezone.now)
                ),
                migrations.AddIndex("mail", models.Index(fields=["given_up_at", "free_at"], name="mail_waiting")),
            ]
        ),
        migrations.AddConstraint(
            "mail",
            models.CheckConstraint(
                condition=models.Q(given_up_at=None) | models.Q(lease_token=None), name="mail_given_up_is_not_leased"
            ),
        ),
    ]
