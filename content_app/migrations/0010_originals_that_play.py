"""Every version plays from the original that its row names, which is all that is known; what plays has not failed."""

from django.db import migrations
from django.db.models import F

# As media_pipeline.errors had them when this was written: what may go better with the same file.
MAY_PASS = ("encoder_failed", "out_of_time", "storage_unavailable", "transcoder_failed")
UNSEEN = {"progress": 100, "time_left_s": None, "error_code": "", "error_message": ""}


def take_note_of_them(apps, schema_editor):
    videos = apps.get_model("content_app", "Video").objects
    videos.exclude(version="").update(
        played_original=F("accepted_original"),
        played_etag=F("original_etag"),
        played_name=F("original_name"),
        played_bytes=F("original_bytes"),
        played_verdict=F("verdict"),
    )
    told = {"refused_code": F("error_code"), "refused_message": F("error_message"), "refused_at": F("updated_at")}
    videos.filter(state="error").exclude(version="").update(**UNSEEN, **told, state="ready")
    videos.filter(state="error").exclude(error_code__in=MAY_PASS).update(error_is_final=True)
    videos.filter(state__in=("pending", "processing")).update(queued_at=F("updated_at"))


class Migration(migrations.Migration):
    dependencies = [("content_app", "0009_candidate_originals")]

    operations = [migrations.RunPython(take_note_of_them, migrations.RunPython.noop)]
