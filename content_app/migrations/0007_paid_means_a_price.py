"""Films that are paid without a price, before the next migration forbids them.

Such a film could not be bought, so owner and admins alone have watched it. Unpaid it would be given away to everybody, and
a price would be an invention: it becomes unpaid and private, which leaves it to the same people until its owner decides.
"""

from typing import Any

from django.db import migrations


def mend(apps: Any, schema_editor: Any) -> None:
    videos = apps.get_model("content_app", "Video").objects.using(schema_editor.connection.alias)
    videos.filter(is_paid=True, price__lte=0).update(is_paid=False, visibility="PRIVATE")
    videos.filter(price__lt=0).update(price=0)


class Migration(migrations.Migration):
    dependencies = (("content_app", "0006_cache_doubt"),)

    operations = (migrations.RunPython(mend, migrations.RunPython.noop),)
