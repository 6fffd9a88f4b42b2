"""Each film's columns become rows: the version that plays, the run that made it, the run under way, the last refusal.

Plain SQL, which both databases understand: a catalogue of 100,000 films takes seconds. The columns stay as they are.
"""

from django.db import migrations

# A worker of the release before that holds a film goes on; if it dies, its lease ends here as it does there.
IS_HELD = "state = 'processing' AND claim_token IS NOT NULL AND lease_until IS NOT NULL"

MADE = """
INSERT INTO content_app_run (
    video_id, original, etag, name, size_bytes, verdict, state, queued_at, progress, error_code, error_message,
    error_is_final, ended_at, folder, work_pixels, work_s, attempts
)
SELECT id, played_original, played_etag, played_name, played_bytes, played_verdict, 'done', created_at, 100, '', '',
    (1 = 0), updated_at, version, work_pixels, work_s, 1
FROM content_app_video WHERE version <> '' ORDER BY id
"""
VERSIONS = """
INSERT INTO content_app_version (
    video_id, run_id, folder, duration_s, width, height, size_bytes, poster_choices, has_small_choices,
    has_storyboard, has_manifest, created_at
)
SELECT film.id, run.id, film.version, film.duration_s, film.width, film.height, film.size_bytes, film.poster_choices,
    film.has_small_choices, film.has_storyboard, film.has_manifest, film.updated_at
FROM content_app_video AS film JOIN content_app_run AS run ON run.video_id = film.id ORDER BY film.id
"""
RENDITIONS = """
INSERT INTO content_app_version_rendition (
    version_id, name, width, height, frame_rate, codecs, peak_bps, average_bps, size_bytes, frames
)
SELECT version.id, rung.name, rung.width, rung.height, rung.frame_rate, rung.codecs, rung.peak_bps, rung.average_bps,
    rung.size_bytes, rung.frames
FROM content_app_rendition AS rung
JOIN content_app_version AS version ON version.video_id = rung.video_id AND version.folder = rung.version
ORDER BY version.id
"""
UNDER_WAY = """
INSERT INTO content_app_run (
    video_id, original, etag, name, size_bytes, verdict, state, queued_at, progress, time_left_s, estimate_s,
    error_code, error_message, error_is_final, folder, work_pixels, work_s, attempts, free_at, lease_token
)
SELECT id, accepted_original, original_etag, original_name, original_bytes, verdict,
    CASE WHEN {is_held} THEN 'running' ELSE 'waiting' END,
    COALESCE(queued_at, updated_at), progress, time_left_s, estimate_s, '', '', (1 = 0), '', 0, 0, attempts, lease_until,
    CASE WHEN {is_held} THEN claim_token END
FROM content_app_video WHERE state IN ('pending', 'processing') AND accepted_original <> '' ORDER BY id
""".replace("{is_held}", IS_HELD)
FAILED = """
INSERT INTO content_app_run (
    video_id, original, etag, name, size_bytes, verdict, state, queued_at, progress, error_code, error_message,
    error_is_final, ended_at, folder, work_pixels, work_s, attempts
)
SELECT id, accepted_original, original_etag, original_name, original_bytes, verdict, 'failed',
    COALESCE(queued_at, updated_at), progress, CASE WHEN error_code = '' THEN 'encoder_failed' ELSE error_code END,
    error_message, error_is_final, updated_at, '', 0, 0, attempts
FROM content_app_video WHERE state = 'error' AND version = '' ORDER BY id
"""
# `id + 0`: for MAX(id), PostgreSQL would read the runs from the newest on, for each film anew.
POINTERS = """
UPDATE content_app_video SET
    version_id = (SELECT id FROM content_app_version WHERE video_id = content_app_video.id),
    run_id = (SELECT MAX(id + 0) FROM content_app_run WHERE video_id = content_app_video.id)
"""
STATES = """
UPDATE content_app_video SET film_state = CASE
    WHEN run_id IS NULL THEN 'uploading'
    WHEN (SELECT run.state FROM content_app_run AS run WHERE run.id = run_id) = 'running' THEN 'processing'
    WHEN (SELECT run.state FROM content_app_run AS run WHERE run.id = run_id) = 'waiting' THEN 'pending'
    WHEN version_id IS NOT NULL THEN 'ready'
    ELSE 'error' END
"""
# Last, so that none of them is the newest run of a film: a film's own file, processed again, or another one.
REFUSED = """
INSERT INTO content_app_run (
    video_id, original, etag, name, size_bytes, state, queued_at, progress, error_code, error_message, error_is_final,
    ended_at, folder, work_pixels, work_s, attempts
)
SELECT id, CASE WHEN refused_file = '' THEN COALESCE(video_file, '') ELSE '' END, '',
    CASE WHEN refused_file = '' THEN original_name ELSE refused_file END, 0, 'failed',
    COALESCE(refused_at, updated_at), 0, refused_code, refused_message, (1 = 1), COALESCE(refused_at, updated_at),
    '', 0, 0, 0
FROM content_app_video WHERE refused_code <> '' ORDER BY id
"""
REFUSALS = """
UPDATE content_app_video SET
    refusal_id = (SELECT MAX(id + 0) FROM content_app_run WHERE video_id = content_app_video.id)
WHERE refused_code <> ''
"""


# --- the way back ----------------------------------------------------------------------------------------------------

OF_VERSION = ("duration_s", "width", "height")
OF_VERSION_OR_NOTHING = ("size_bytes", "poster_choices")
FLAGS_OF_VERSION = ("has_small_choices", "has_storyboard", "has_manifest")
OF_RUN = {"time_left_s": "time_left_s", "estimate_s": "estimate_s", "verdict": "verdict", "queued_at": "queued_at",
          "claim_token": "lease_token", "lease_until": "free_at"}  # fmt: skip
OF_RUN_OR_NOTHING = {"accepted_original": "original", "original_etag": "etag", "error_code": "error_code",
                     "error_message": "error_message"}  # fmt: skip
COUNTS_OF_RUN = ("progress", "attempts")
OF_WHAT_PLAYS = {"played_original": "original", "played_etag": "etag", "played_name": "name"}
OF_REFUSAL = {"refused_code": "error_code", "refused_message": "error_message"}


def back_to_columns():
    """Yields `column = value` for each column of before, from the rows that took its place."""

    def of(table, field, pointer):
        return f"(SELECT {field} FROM content_app_{table} AS one WHERE one.id = {pointer})"  # noqa: S608 - constants

    def played(field):
        return (
            f"(SELECT one.{field} FROM content_app_run AS one"  # noqa: S608 - constants
            " JOIN content_app_version AS made ON made.run_id = one.id WHERE made.id = version_id)"
        )

    yield "state = film_state"
    yield f"version = COALESCE({of('version', 'folder', 'version_id')}, '')"
    yield from (f"{name} = {of('version', name, 'version_id')}" for name in OF_VERSION)
    yield from (f"{name} = COALESCE({of('version', name, 'version_id')}, 0)" for name in OF_VERSION_OR_NOTHING)
    yield from (f"{name} = COALESCE({of('version', name, 'version_id')}, (1 = 0))" for name in FLAGS_OF_VERSION)
    yield from (f"{column} = {of('run', field, 'run_id')}" for column, field in OF_RUN.items())
    yield from (f"{column} = COALESCE({of('run', field, 'run_id')}, '')" for column, field in OF_RUN_OR_NOTHING.items())
    yield from (f"{name} = COALESCE({of('run', name, 'run_id')}, 0)" for name in COUNTS_OF_RUN)
    yield f"error_is_final = COALESCE({of('run', 'error_is_final', 'run_id')}, (1 = 0))"
    yield from (f"{column} = COALESCE({played(field)}, '')" for column, field in OF_WHAT_PLAYS.items())
    yield f"played_bytes = COALESCE({played('size_bytes')}, 0)"
    yield f"played_verdict = {played('verdict')}"
    yield f"work_pixels = COALESCE({played('work_pixels')}, 0)"
    yield f"work_s = COALESCE({played('work_s')}, 0)"
    yield from (f"{column} = COALESCE({of('run', field, 'refusal_id')}, '')" for column, field in OF_REFUSAL.items())
    refused_file = "CASE WHEN one.original = video_file THEN '' ELSE one.name END"
    yield f"refused_file = COALESCE({of('run', refused_file, 'refusal_id')}, '')"
    yield f"refused_at = {of('run', 'ended_at', 'refusal_id')}"


# The release before showed the file under way as the film's own.
FILES_BACK = """
UPDATE content_app_video SET
    video_file = accepted_original,
    original_name = (SELECT name FROM content_app_run AS one WHERE one.id = run_id),
    original_bytes = (SELECT size_bytes FROM content_app_run AS one WHERE one.id = run_id)
WHERE accepted_original <> '' AND accepted_original <> video_file
"""
RENDITIONS_BACK = """
INSERT INTO content_app_rendition (
    video_id, version, name, width, height, frame_rate, codecs, peak_bps, average_bps, size_bytes, frames
)
SELECT made.video_id, made.folder, rung.name, rung.width, rung.height, rung.frame_rate, rung.codecs, rung.peak_bps,
    rung.average_bps, rung.size_bytes, rung.frames
FROM content_app_version_rendition AS rung JOIN content_app_version AS made ON made.id = rung.version_id
ORDER BY made.id
"""


def run_all(schema_editor, statements):
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def copy(apps, schema_editor):
    statements = (MADE, VERSIONS, RENDITIONS, UNDER_WAY, FAILED, POINTERS, STATES, REFUSED, REFUSALS)
    run_all(schema_editor, statements)


def copy_back(apps, schema_editor):
    columns = f"UPDATE content_app_video SET {', '.join(back_to_columns())}"  # noqa: S608 - constants
    # The renditions of before hold a foreign key without a constraint, and may name films that are gone.
    run_all(schema_editor, (columns, FILES_BACK, "DELETE FROM content_app_rendition", RENDITIONS_BACK))


class Migration(migrations.Migration):
    dependencies = [("content_app", "0017_rows_of_making")]

    operations = [migrations.RunPython(copy, copy_back)]
