#!/bin/sh
# One stream of `make test`, beside the others; see tests/run.sh. $1: which, $2: pytest's marker expression.
set -u
status=0
check() {
    printf '\n== pytest %s\n' "$*"
    .venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 -m "$slow" "$@" || status=$?
}
slow=$2
case $1 in
    apps)
        check media_pipeline
        check users_app content_app config local
        printf '\n== pytest users_app content_app config, PostgreSQL\n'
        .venv/bin/python -m tests.with_postgresql \
            .venv/bin/python -m pytest -q -p no:cacheprovider users_app content_app config || status=$?
        ;;
    services) check tests/end_to_end ;;
esac
exit $status
