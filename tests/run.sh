#!/bin/sh
# `make test`: installs what the tests need, starts what they need, runs everything. `tests/run.sh all` adds the slow ones.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

# --- What Debian has -------------------------------------------------------------------------------------------------

# Program to look for, and the package it comes in.
needed='ffmpeg:ffmpeg redis-server:redis-server chromium:chromium initdb:postgresql git:git setpriv:util-linux make:make
ceph-mon:ceph-mon ceph-osd:ceph-osd radosgw:radosgw ceph:ceph-common
nginx:nginx certbot:certbot pebble:pebble openssl:openssl'

has() {
    case $1 in
        initdb) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=
for pair in $needed; do has "${pair%%:*}" || missing="$missing ${pair##*:}"; done
# The fresh-clone test makes a virtual environment with the system's own Python.
/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "apt-get install$missing"
        apt-get update -qq
        # shellcheck disable=SC2086 # a list of words
        # RUNLEVEL: services among them are not started.
        RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        echo "make test needs these Debian packages:$missing (sudo apt-get install$missing)." >&2
        exit 1
    fi
fi

say "requirements-dev.txt into .venv"
sh local/python.sh -m local.install requirements-dev.txt

# --- The tests -------------------------------------------------------------------------------------------------------

slow='not slow'
[ "${1:-}" = all ] && slow='slow or not slow'
# The database is chosen here and nowhere else.
unset DATABASE_URL POSTGRES_DATABASE_URL DB_NAME DB_HOST USE_SQLITE_LOCAL || true

# Half of them need little of the machine: they run beside the rest, and what they said is shown at the end.
said=$(mktemp)
setsid sh tests/beside.sh "$slow" >"$said" 2>&1 &
beside=$!
trap 'kill -- "-$beside" 2>/dev/null && wait "$beside" || true; rm -f "$said"' EXIT
trap 'exit 130' HUP INT TERM

say "pytest users_app content_app, PostgreSQL"
status=0
.venv/bin/python -m tests.with_postgresql \
    .venv/bin/python -m pytest -q -p no:cacheprovider users_app content_app || status=$?

say "pytest on SQLite: the apps, then the pages in a browser and a fresh clone"
.venv/bin/python -m pytest -q --durations=10 -m "$slow" users_app content_app config local tests/browser tests/clone || status=$?
wait "$beside" || status=$?
cat "$said"
exit $status
