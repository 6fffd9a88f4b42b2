"""Debian's Nginx in front of a platform, with the configuration files that ship."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

from local.linux import end_with_parent
from tests.client import Client
from tests.services import PROJECT, Platform, free_port, wait_for

ENTRYPOINT = PROJECT / "nginx" / "entrypoint.sh"


class Nginx:
    """Clients use `origin`; `settings` are those of nginx/entrypoint.sh."""

    def __init__(self, platform: Platform, **settings: str) -> None:
        assert shutil.which("nginx"), "install the nginx package"
        self.platform = platform
        self.port, self.tls_port = free_port(), free_port()
        self.origin = f"http://localhost:{self.port}"
        self.tls_origin = f"https://localhost:{self.tls_port}"
        self.folder = Path(tempfile.mkdtemp(prefix="nginx-"))
        self.log = self.folder / "log"
        self.env = {
            "PATH": os.environ["PATH"],
            "WEB": f"127.0.0.1:{platform.port}",
            "MEDIA_ROOT": platform.env["MEDIA_ROOT"],
            "USE_S3_MEDIA": platform.env.get("USE_S3_MEDIA", "0"),
            "HTTP_LISTEN": f"127.0.0.1:{self.port}",
            "HTTPS_LISTEN": f"127.0.0.1:{self.tls_port}",
            "HTTPS_PORT": str(self.tls_port),
            "RUN_DIR": str(self.folder / "run"),
            "WEBROOT": str(self.folder / "webroot"),
            "LETSENCRYPT_DIR": str(self.folder / "letsencrypt"),
            "CERTIFICATE_CHECK_SECONDS": "1",
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", str(ENTRYPOINT)], env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGTERM),
            )  # fmt: skip
        wait_for(self.is_up, limit_s=30, what="Nginx")

    def is_up(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.said()
        with suppress(OSError):
            return Client(self.origin).get("/healthz").status == 200
        return False

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)
