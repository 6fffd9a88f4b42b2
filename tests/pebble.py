"""An ACME authority on this machine, which validates domains over HTTP on the port that a test names."""

import os
import shutil
import signal
import ssl
import subprocess
import tempfile
from contextlib import suppress
from functools import partial
from http.client import HTTPSConnection
from json import dumps
from pathlib import Path

from local.linux import end_with_parent
from tests.services import free_port, wait_for


class Pebble:
    """The authority with its ACME directory at `directory`; `ca_file` is the certificate of its HTTPS server."""

    def __init__(self, http_port: int) -> None:
        for program in ("pebble", "pebble-challtestsrv", "openssl"):
            assert shutil.which(program), f"install the package of {program}"
        self.folder = Path(tempfile.mkdtemp(prefix="pebble-"))
        self.port, self.management_port, self.dns_port = free_port(), free_port(), free_port()
        self.http_port = http_port
        self.directory = f"https://localhost:{self.port}/dir"
        self.ca_file = self.folder / "pages.crt"
        self.programs: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        key = self.folder / "pages.key"
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", *subject]
        subprocess.run([*made, "-keyout", str(key), "-out", str(self.ca_file)], check=True, capture_output=True)
        settings = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management_port}",
            "certificate": str(self.ca_file),
            "privateKey": str(key),
            "httpPort": self.http_port,
            "tlsPort": free_port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
        }
        (self.folder / "pebble.json").write_text(dumps({"pebble": settings}))
        dns = f"127.0.0.1:{self.dns_port}"
        nothing = ("-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "")
        management = ("-management", f"127.0.0.1:{free_port()}")
        self.spawn("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-dns01", dns, *nothing, *management)
        self.spawn("pebble", "-config", str(self.folder / "pebble.json"), "-dnsserver", dns, "-strict")
        wait_for(self.is_up, limit_s=30, what="the ACME authority")

    def spawn(self, *argv: str) -> None:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                argv, env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGKILL),
            )  # fmt: skip
        self.programs.append(process)

    def get(self, port: int, path: str) -> bytes:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        connection = HTTPSConnection("localhost", port, context=context, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def is_up(self) -> bool:
        with suppress(OSError):
            return bool(self.get(self.port, "/dir"))
        return False

    def root(self) -> Path:
        """Returns the root certificate, which clients would have to trust."""
        path = self.folder / "root.pem"
        path.write_bytes(self.get(self.management_port, "/roots/0"))
        return path

    def stop(self) -> None:
        for process in self.programs:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
