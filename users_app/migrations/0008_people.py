from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("users_app", "0007_let_in_and_admin_sessions"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={"verbose_name": "person", "verbose_name_plural": "people"},
        ),
    ]
