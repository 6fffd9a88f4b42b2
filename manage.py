#!/usr/bin/env python
"""Django's command line for operators."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # An operator needs the sentence, not the stack that led to it.
        sys.exit(f"Videoflix cannot start: {error}")
    except DatabaseError as error:
        sys.exit(f"The database does not answer as it should: {error}. If it is new, run `manage.py migrate` first.")


if __name__ == "__main__":
    main()
