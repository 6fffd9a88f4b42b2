#!/bin/sh
# Runs its arguments with Python 3.11 or newer. In sh, so that a machine without it shows a sentence and no stack trace.
set -eu
case $0 in */*) cd "${0%/*}/.." ;; *) cd .. ;; esac

needed='Videoflix needs Python 3.11 or newer'

will_do() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if [ -n "${PYTHON:-}" ]; then
    will_do "$PYTHON" || { echo "$needed, and PYTHON is $PYTHON, which is not: set it to one that is or leave it unset." >&2; exit 1; }
    exec "$PYTHON" -B "$@"
fi

# The Python of the system first: its packages (venv) are installed for that one.
for python in python3 python3.14 python3.13 python3.12 python3.11; do
    # -B: compiled modules belong under the data folder, which is known once Python has read the settings.
    if will_do "$python"; then exec "$python" -B "$@"; fi
done

found=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found=missing
echo "$needed, but python3 is $found here: install a newer one (Debian, Ubuntu: apt install python3 python3-venv) or name it with PYTHON=/path/to/python3." >&2
exit 1
