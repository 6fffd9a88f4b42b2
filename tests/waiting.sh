#!/bin/sh
# The tests that wait most of their time; see tests/run.sh. $1: pytest's marker expression; then their files.
set -u
slow=$1
shift
printf '\n== %s\n' "pytest $*, make up and a fresh clone"
exec .venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$slow" "$@" local tests/clone
