#!/bin/sh
# `make lint`: style, types, import rules, migrations and the OpenAPI schema; prints what it runs.
set -eu
cd "$(dirname "$0")/.."
sh local/python.sh -m local.install requirements-dev.txt
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
# The commands below read the settings; none of them reads or writes data.
export DEBUG=1 ENV_FILE= DATA_DIR="$data" USE_SQLITE_LOCAL=1
set -x
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy .
.venv/bin/lint-imports
.venv/bin/python manage.py makemigrations --check --dry-run
.venv/bin/python manage.py spectacular --validate --fail-on-warn --file /dev/null
