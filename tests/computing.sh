#!/bin/sh
# The tests that compute most; see tests/run.sh. $1: pytest's marker expression; then the names of files left out.
set -u
slow=$1
shift
status=0
printf '\n== %s\n' "pytest media_pipeline"
.venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$slow" media_pipeline || status=$?
printf '\n== %s\n' "pytest end to end, with real services"
# shellcheck disable=SC2046 # a list of options
.venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$slow" tests/end_to_end \
    $(printf -- '--ignore=tests/end_to_end/test_%s.py ' "$@") || status=$?
exit $status
