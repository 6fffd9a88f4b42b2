#!/bin/sh
# The tests that wait most of their time; see tests/run.sh. $1: pytest's marker expression; then the names of files.
set -u
slow=$1
shift
printf '\n== %s\n' "pytest end to end: $*; then make up and a fresh clone"
# shellcheck disable=SC2046 # a list of files
exec .venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$slow" \
    $(printf 'tests/end_to_end/test_%s.py ' "$@") local tests/clone
