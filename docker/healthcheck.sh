#!/bin/sh
# Of the web server: that it answers, even if degraded. Of the others: that the process is there.
set -eu
role=$(cat "${TMPDIR:-/tmp}/videoflix-role" 2>/dev/null || echo web)
[ "$role" = web ] || exit 0
exec python - <<'PYTHON'
import os, sys, urllib.error, urllib.parse, urllib.request
url = f"http://127.0.0.1:{os.environ.get('WEB_PORT', '8000')}/health/"
# By the name that browsers use: ALLOWED_HOSTS may have no other.
host = urllib.parse.urlsplit(os.environ.get("BACKEND_ORIGIN") or "http://localhost").netloc
try:
    urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=4)
except urllib.error.HTTPError as error:
    # What the platform needs may be away: that is said in the answer, and restarting this container mends nothing.
    sys.exit(0 if error.code == 503 else f"web answers {error.code}")
except (OSError, urllib.error.URLError) as error:
    sys.exit(f"web does not answer: {error}")
PYTHON
