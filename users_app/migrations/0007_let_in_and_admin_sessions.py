from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users_app", "0006_audit_entries"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="admin_sessions_ended_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="let_in_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="address",
            field=models.GenericIPAddressField(null=True, verbose_name="network address"),
        ),
        migrations.AlterField(
            model_name="session",
            name="address",
            field=models.GenericIPAddressField(blank=True, null=True, verbose_name="network address"),
        ),
        migrations.AlterField(
            model_name="user",
            name="address",
            field=models.CharField(blank=True, max_length=300, verbose_name="postal address"),
        ),
    ]
