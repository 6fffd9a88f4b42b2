"""Files of forms and of tus that are on their way to this machine."""

from pathlib import Path

from django.conf import settings

from content_app.services.storage import disk_space
from content_app.services.storage.brief_folders import is_older_than

JUST_MADE_S = 60  # a file that was made a moment ago may not be held by its process yet


def sweep_incoming() -> int:
    """Remove what a web process that was killed in mid-upload left half-received; how many files.

    A file that cannot be removed keeps none of the others; its OSError is raised after them.
    """
    removed, problem = 0, None
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir():
        try:
            if is_older_than(path, JUST_MADE_S) and not disk_space.is_held(path):
                path.unlink(missing_ok=True)
                removed += 1
        except FileNotFoundError:
            continue  # stored or dropped just now
        except OSError as error:
            problem = error
    if problem is not None:
        raise problem
    return removed
