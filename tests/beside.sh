#!/bin/sh
# The half of `make test` that needs none of the other half's services; see tests/run.sh. $1: pytest's marker expression.
set -u
status=0
printf '\n== %s\n' "pytest media_pipeline"
.venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$1" media_pipeline || status=$?
printf '\n== %s\n' "pytest end to end, with real services"
.venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$1" tests/end_to_end || status=$?
exit $status
