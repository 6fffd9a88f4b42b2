#!/bin/sh
# What a container runs: `web`, `worker`, `reaper`, `consume_uploads`, or any command of manage.py.
# Waits for the services that it needs, at most WAIT_SECONDS, then execs it, so that it gets the signals.
set -eu
cd "$(dirname "$0")/.."
: "${WAIT_SECONDS:=120}"
role=${1:-web}
[ $# -gt 0 ] && shift

# For healthcheck.sh.
echo "$role" >"${TMPDIR:-/tmp}/videoflix-role"

case $role in
    web)
        python manage.py wait_for_services --limit "$WAIT_SECONDS"
        # bootstrap takes a lock: any number of web containers may start at once.
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
