#!/bin/sh
# `make test`: installs what the tests need, starts what they need, runs everything. `tests/run.sh all` adds the slow ones.
set -eu
cd "$(dirname "$0")/.."
sh tests/install.sh

say() { printf '\n== %s\n' "$*"; }

slow='not slow'
[ "${1:-}" = all ] && slow='slow or not slow'
# Without Python's cache every program that a test starts would compile all modules again.
unset PYTHONDONTWRITEBYTECODE || true
# The database is chosen here and nowhere else.
unset DATABASE_URL POSTGRES_DATABASE_URL DB_NAME DB_HOST USE_SQLITE_LOCAL || true

# Tests that wait most of their time: for leases to end, for services to come back, for pages.
waits='tests/end_to_end/test_faults.py tests/end_to_end/test_containers.py tests/end_to_end/test_accounts.py
tests/end_to_end/test_rqworker.py tests/end_to_end/test_services.py tests/end_to_end/test_slow_clients.py
tests/browser/test_front_end.py tests/browser/test_account.py tests/browser/test_accessibility.py
tests/browser/test_player.py tests/browser/test_watch_site.py tests/browser/test_admin_site.py
tests/browser/test_every_page.py tests/browser/test_direct_upload.py tests/browser/test_cards.py'
# shellcheck disable=SC2086 # a list of files
without=$(printf -- '--ignore=%s ' $waits)

# Three streams beside each other. The output of the first two is shown at the end.
output=$(mktemp -d)
# shellcheck disable=SC2086 # a list of options
setsid sh tests/computing.sh "$slow" $without >"$output/computing" 2>&1 &
computing=$!
# shellcheck disable=SC2086 # a list of files
setsid sh tests/waiting.sh "$slow" $waits >"$output/waiting" 2>&1 &
waiting=$!
end() { kill -- "-$1" 2>/dev/null && wait "$1" || true; }
trap 'end "$computing"; end "$waiting"; rm -rf "$output"' EXIT
trap 'exit 130' HUP INT TERM

# With `all`, the generated requests are sent on PostgreSQL as well as on SQLite.
any_input=
[ "${1:-}" = all ] && any_input=config/tests/test_any_input.py
say "pytest background users_app content_app $any_input, PostgreSQL"
status=0
# shellcheck disable=SC2086 # a file or nothing
.venv/bin/python -m tests.with_postgresql \
    .venv/bin/python -m pytest -q -p no:cacheprovider --durations=10 background users_app content_app $any_input || status=$?

# Tests that talk to other services more than to the database. They have run with PostgreSQL, which operators use.
on_postgresql_only='users_app/tests/test_cognito.py users_app/tests/test_cognito_tokens.py users_app/tests/test_any_token.py
users_app/tests/test_service_signature.py users_app/tests/test_service_authentication.py
users_app/tests/test_strangers.py users_app/tests/test_one_sign_in.py users_app/tests/test_hashers.py
content_app/tests/test_direct_uploads.py content_app/tests/test_consume_uploads.py content_app/tests/test_doctor.py
content_app/tests/test_tus.py content_app/tests/test_upload_limits.py content_app/tests/test_room.py
content_app/tests/test_delivery.py content_app/tests/test_external.py content_app/tests/test_captions.py
content_app/tests/test_posters.py content_app/tests/test_admin_film.py'
# shellcheck disable=SC2086 # a list of files
without_those=$(printf -- '--ignore=%s ' $on_postgresql_only)
say "pytest background users_app content_app config, SQLite; then the pages in a browser"
# shellcheck disable=SC2086 # lists of options
.venv/bin/python -m pytest -q --durations=10 -m "$slow" $without $without_those background users_app content_app config tests/browser ||
    status=$?
wait "$computing" || status=$?
wait "$waiting" || status=$?
cat "$output/computing" "$output/waiting"
exit $status
