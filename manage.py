#!/usr/bin/env python
"""Django's command line for operators."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # An operator needs the sentence, not the stack that led to it.
        sys.exit(f"Videoflix cannot start: {error}")
    except (OperationalError, ProgrammingError) as error:
        if "no such table" not in str(error) and "does not exist" not in str(error):
            raise
        sys.exit(f"The database is not set up: {error}. Run `manage.py migrate` first.".replace("\n", " "))


if __name__ == "__main__":
    main()
