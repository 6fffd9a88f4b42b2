#!/bin/sh
# A web server is healthy when it answers, even if degraded; other roles while their process runs.
set -eu
role=$(cat "${TMPDIR:-/tmp}/videoflix-role" 2>/dev/null || echo web)
[ "$role" = web ] || exit 0
exec python - <<'PYTHON'
import os, sys, urllib.error, urllib.parse, urllib.request
url = f"http://127.0.0.1:{os.environ.get('WEB_PORT', '8000')}/health/"
# With the host name that browsers use: ALLOWED_HOSTS may contain no other.
host = urllib.parse.urlsplit(os.environ.get("BACKEND_ORIGIN") or "http://localhost").netloc
try:
    urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=4)
except urllib.error.HTTPError as error:
    # The database or the storage is down, and a restart of this container would not repair that.
    sys.exit(0 if error.code == 503 else f"web answers {error.code}")
except (OSError, urllib.error.URLError) as error:
    sys.exit(f"web does not answer: {error}")
PYTHON
