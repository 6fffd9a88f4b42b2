#!/bin/sh
# What a container runs: `web`, `worker`, `reaper`, `consume_uploads`, or any command of manage.py.
# Waits for what that needs, with a limit and a sentence, then becomes it, so that signals reach it.
set -eu
cd "$(dirname "$0")/.."
: "${WAIT_SECONDS:=120}"
role=${1:-web}
[ $# -gt 0 ] && shift

# Who docker is asked about later (healthcheck.sh).
echo "$role" >"${TMPDIR:-/tmp}/videoflix-role"

case $role in
    web)
        python manage.py wait_for_services --limit "$WAIT_SECONDS"
        # Under a lock: any number of these may start at once.
        python manage.py bootstrap --migrate
        exec python -m gunicorn -c docker/gunicorn_conf.py config.wsgi:application
        ;;
    worker)
        python manage.py wait_for_services --limit "$WAIT_SECONDS" --migrated
        exec python manage.py rqworker "$@"
        ;;
    reaper | consume_uploads)
        python manage.py wait_for_services --limit "$WAIT_SECONDS" --migrated
        exec python manage.py "$role" "$@"
        ;;
    *)
        exec python manage.py "$role" "$@"
        ;;
esac
