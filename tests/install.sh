#!/bin/sh
# Installs what the tests need: Debian packages when root (otherwise says which are missing), and Python's into .venv.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

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
