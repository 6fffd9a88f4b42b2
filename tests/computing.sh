#!/bin/sh
# The tests that compute most; see tests/run.sh. $1: pytest's marker expression; then further options.
set -u
slow=$1
shift
status=0
printf '\n== %s\n' "pytest media_pipeline"
.venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$slow" media_pipeline || status=$?
printf '\n== %s\n' "pytest end to end, with real services"
.venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$slow" "$@" tests/end_to_end || status=$?
exit $status
