"""How the web server of `make up` runs (read by gunicorn)."""

import ctypes
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from config import logs

# An upload holds a thread and no processor for as long as its line is thin, a paused player until it is given up: 64
# threads leave room for everybody else's short requests. All else that is slow takes no thread.
worker_class = "config.http.web_worker.FairWorker"
workers = 2
threads = 32

# Of a worker's main loop, not of a request: it goes on ticking while threads wait, so long uploads do not end it.
timeout = 60
# On Ctrl-C nobody wants to wait for a paused player.
graceful_timeout = 3
# Kept-alive connections wait in the poller, not in a thread.
keepalive = 15

# One import for both workers: half the processor time at start, and shared memory.
preload_app = True

# The heartbeat file is touched every second: in memory, where a busy disk cannot make a worker look dead.
if os.access("/dev/shm", os.W_OK):  # noqa: S108 - gunicorn makes and unlinks a private file there
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - as above

# It would lie in the home folder, outside of the data folder, and be shared by every gunicorn of this person.
control_socket_disable = True
# No proxy in front: a client that claims to be one is not believed.
forwarded_allow_ips = ""

# glibc keeps freed memory apart for each thread: 32 threads that each made a long list would each keep a part of it.
# (M_ARENA_MAX; other C libraries have no such function. Processes that are forked inherit it.)
M_ARENA_MAX, ARENAS = -8, 2
with suppress(OSError, AttributeError):
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)

# Its own lines quote requests too: no secret is in them either, and none is longer than the others.
OWN_LOG = {"handlers": [], "propagate": True, "qualname": "gunicorn.error"}
logconfig_dict = {
    **logs.logging_config(os.environ.get("LOG_FORMAT") or "plain"),
    "loggers": {"gunicorn.error": {"level": "WARNING", **OWN_LOG}},
}


def on_starting(_: Any) -> None:
    """The application is loaded while the database is prepared, and serves once it is: see local.up."""
    from django.urls import get_resolver

    # Loads the views, which Django would otherwise do in each worker, during somebody's first request.
    get_resolver().url_patterns  # noqa: B018 - computed when it is first read
    while not Path(os.environ["PREPARED_FILE"]).exists():
        time.sleep(0.02)
