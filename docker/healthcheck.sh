#!/bin/sh
# Of the web server: that it answers, even if degraded. Of the others: that the process is there.
set -eu
role=$(cat "${TMPDIR:-/tmp}/videoflix-role" 2>/dev/null || echo web)
[ "$role" = web ] || exit 0
exec python - <<'PYTHON'
import os, sys, urllib.error, urllib.request
url = f"http://127.0.0.1:{os.environ.get('WEB_PORT', '8000')}/health/"
try:
    sys.exit(urllib.request.urlopen(urllib.request.Request(url, headers={"Host": "localhost"}), timeout=4).status != 200)
except (OSError, urllib.error.URLError) as error:
    sys.exit(f"web does not answer: {error}")
PYTHON
