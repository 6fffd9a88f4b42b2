"""Sweeps the folder in which forms receive their files."""

from content_app.services.storage import disk_space
from content_app.services.storage.brief_folders import is_older_than

NEW_FILE_S = 60  # the process that made a file may not have locked it yet


def sweep_incoming() -> int:
    """Removes the half-received files of web processes that were killed. Returns how many.

    A file that cannot be removed does not stop the sweep; its OSError is raised at the end.
    """
    removed, problem = 0, None
    for path in disk_space.incoming_folder().iterdir():
        try:
            if is_older_than(path, NEW_FILE_S) and not disk_space.is_held(path):
                path.unlink(missing_ok=True)
                removed += 1
        except FileNotFoundError:
            continue  # stored or removed just now
        except OSError as error:
            problem = error
    if problem is not None:
        raise problem
    return removed
