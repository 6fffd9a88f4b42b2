#!/bin/sh
# What `make test` runs beside the pages; see tests/run.sh. $1: pytest's marker expression, $2: end_to_end or apps.
set -u
status=0

test_all() {
    printf '\n== %s\n' "$1"
    shift
    "$@" || status=$?
}

py() { .venv/bin/python "$@"; }

case $2 in
    end_to_end)
        test_all "pytest end to end, with real services" \
            py -m pytest -q -p no:cacheprovider --durations=10 -m "$1" tests/end_to_end
        ;;
    apps)
        test_all "pytest users_app content_app, PostgreSQL" \
            py -m tests.with_postgresql .venv/bin/python -m pytest -q -p no:cacheprovider users_app content_app
        test_all "pytest users_app content_app config, SQLite" \
            py -m pytest -q -p no:cacheprovider --durations=10 -m "$1" users_app content_app config
        test_all "pytest media_pipeline" py -m pytest -q -p no:cacheprovider --durations=10 -m "$1" media_pipeline
        ;;
esac
exit $status
