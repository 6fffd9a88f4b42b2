"""The settings of gunicorn for `make up`."""

import ctypes
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from config import logs

# A slow upload holds a thread, without using the processor, and so does a paused player until its connection ends: 64
# threads leave room for the short requests of all others. No other slow client takes a thread.
worker_class = "config.http.web_worker.FairWorker"
workers = 2
threads = 32

# For the main loop of a worker, not for a request: the loop runs while threads wait, so long uploads do not end it.
timeout = 60
# After Ctrl-C a paused player must not delay the end.
graceful_timeout = 3
# Kept-alive connections wait in the poller, not in a thread.
keepalive = 15

# One import for both workers: half the processor time at start, and shared memory.
preload_app = True

# The heartbeat file is touched every second. It lies in memory: a busy disk must not make a worker look dead.
if os.access("/dev/shm", os.W_OK):  # noqa: S108 - gunicorn makes and unlinks a private file there
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - as above

# The control socket would lie in the home folder and be shared by every gunicorn of this user.
control_socket_disable = True
# ForwardedHeaders (config.http) handles these headers, for the proxies of TRUSTED_PROXIES only.
forwarded_allow_ips = ""

# glibc keeps freed memory in a heap for each thread: 32 threads that each made a long list would each keep a part of
# it. Forked processes inherit M_ARENA_MAX; other C libraries have no such function. Measured: docs/performance.md.
M_ARENA_MAX, ARENAS = -8, 2
with suppress(OSError, AttributeError):
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)

# The application refuses any other format, with a sentence.
LOG_FORMAT = os.environ.get("LOG_FORMAT")
# The lines of gunicorn quote requests too, so they are redacted and shortened like all others.
OWN_LOG = {"handlers": [], "propagate": True, "qualname": "gunicorn.error"}
logconfig_dict = {
    **logs.logging_config(LOG_FORMAT if LOG_FORMAT in logs.FORMATS else "plain"),
    "loggers": {"gunicorn.error": {"level": "WARNING", **OWN_LOG}},
}


def on_starting(_: Any) -> None:
    """Waits until the database is prepared; the application has been loaded meanwhile. See local.up."""
    from django.urls import get_resolver

    # Loads the views once, before the workers are forked; Django would load them in each worker at its first request.
    get_resolver().url_patterns  # noqa: B018 - computed when it is first read
    while not Path(os.environ["PREPARED_FILE"]).exists():
        time.sleep(0.02)
