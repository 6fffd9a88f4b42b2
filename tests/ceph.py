"""A real S3 server that checks signatures: one monitor, one OSD in memory and one gateway of Ceph, without root."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.linux import end_with_parent
from tests.services import free_port, started, wait_for

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph")
MEMORY_BYTES = 4 * 1024**3
MON_PORT = 3300
TRIES = 10
CONFIG = """[global]
fsid = {fsid}
auth cluster required = none
auth service required = none
auth client required = none
ms bind ipv4 = true
ms bind ipv6 = false
public addr = {address}
cluster addr = {address}
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
pid file =
log file = {folder}/$name.log
crash dir = {folder}/run
setuser match path =
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
[mon.a]
host = localhost
mon addr = {address}:{mon_port}
[mon]
mon data = {folder}/mon
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 2
auth allow insecure global id reclaim = true
mon election timeout = 1
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = {memory}
osd memory target = 1073741824
osd class update on start = false
osd crush update on start = false
osd heartbeat grace = 60
[client]
rgw enable usage log = false
rgw thread pool size = 32
rgw gc obj min wait = 1
"""


class Ceph:
    """The server at `url`, with `access_key_id` and `secret_access_key`; each test makes buckets of its own."""

    region = "us-east-1"

    def __init__(self) -> None:
        missing = [program for program in PROGRAMS if not shutil.which(program)]
        assert not missing, f"install radosgw, ceph-mon, ceph-osd and ceph-common: there is no {missing[0]}"
        # The path of a socket may have no more than 107 characters, so the folder lies right below /tmp.
        self.folder = Path(tempfile.mkdtemp(prefix="ceph-", dir="/tmp"))
        # Servers of parallel test runs differ in keys and addresses, so that none takes another one for itself.
        self.access_key_id = f"APP{uuid.uuid4().hex[:13].upper()}"
        self.secret_access_key = uuid.uuid4().hex
        self.address = "127." + ".".join(str(1 + secrets.randbelow(254)) for _ in range(3))
        self.url = ""
        self.known_client: Any = None
        self.daemons: list[subprocess.Popen[bytes]] = []
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CEPH")},
            "CEPH_CONF": str(self.folder / "ceph.conf"),
        }

    # --- starting and stopping ---

    def start(self) -> None:
        self.start_cluster()
        self.make_user("app", self.access_key_id, self.secret_access_key)
        self.start_gateway()

    def start_cluster(self) -> None:
        for name in ("run", "mon", "osd"):
            (self.folder / name).mkdir()
        fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
        places = {"folder": self.folder, "address": self.address, "mon_port": MON_PORT, "memory": MEMORY_BYTES}
        (self.folder / "ceph.conf").write_text(CONFIG.format(fsid=fsid, **places))
        self.run("ceph-mon", "-i", "a", "--mkfs", "--fsid", fsid)
        self.spawn("ceph-mon", "-i", "a", "-f")
        self.ask_monitor("osd", "new", osd)
        self.ask_monitor("osd", "crush", "add", "osd.0", "1", "root=default", "host=localhost")
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd, "--no-mon-config")
        self.spawn("ceph-osd", "-i", "0", "-f")
        wait_for(lambda: "1 up" in self.ask_monitor("osd", "stat"), limit_s=180, what="the OSD")

    def start_gateway(self) -> None:
        """Starts the gateway on a free port, and on another one if a program takes that port first."""
        for _ in range(TRIES):
            port = free_port()
            self.url = f"http://127.0.0.1:{port}"
            gateway = self.spawn(
                "radosgw", "-n", "client.rgw", "-f", f"--rgw-frontends=beast endpoint=127.0.0.1:{port}"
            )
            wait_for(lambda: self.answers() or gateway.poll() is not None, limit_s=180, what="the gateway")  # noqa: B023 - called before the next turn
            if gateway.poll() is None:
                return
        raise AssertionError(f"the gateway ended at once: {self.said('radosgw')}")

    def stop(self) -> None:
        for daemon in reversed(self.daemons):
            daemon.kill()
            daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self) -> bool:
        try:
            self.make_client().list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True

    def spawn(self, *argv: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{argv[0]}.out").open("ab") as out:
            daemon = subprocess.Popen(
                argv, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGKILL),
            )  # fmt: skip
        self.daemons.append(daemon)
        return daemon

    def said(self, program: str) -> str:
        return (self.folder / f"{program}.out").read_text(errors="replace")[-500:]

    def run(self, *argv: str) -> str:
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=60, check=False)
        if "EPERM" in done.stderr:
            raise ToldTooEarly
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr[-500:]}"
        return done.stdout

    def ask_monitor(self, *argv: str) -> str:
        for _ in range(TRIES):
            with suppress(ToldTooEarly):
                return self.run("ceph", "--connect-timeout", "20", *argv)
        raise AssertionError(f"the monitor refuses everything: {self.said('ceph-mon')}")

    # --- users and buckets ---

    def make_user(self, name: str, access_key_id: str, secret_access_key: str) -> None:
        """Adds a user, who has no rights on the buckets of other users."""
        keys = ("--access-key", access_key_id, "--secret-key", secret_access_key)
        self.run("radosgw-admin", "user", "create", "--uid", name, "--display-name", name, *keys)

    def client(self) -> Any:
        """Returns a client of the user who owns the buckets of the tests; it sends each request once."""
        if self.known_client is None:  # making a client takes longer than most requests
            self.known_client = self.make_client()
        return self.known_client

    def make_client(self) -> Any:
        config = Config(
            s3={"addressing_style": "path", "payload_signing_enabled": True},
            request_checksum_calculation="when_required",
            connect_timeout=10,
            read_timeout=10,
            retries={"total_max_attempts": 1},
        )
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=config,
        )

    def make_bucket(self, prefix: str = "films") -> str:
        """Makes a bucket and returns its name, which is unique."""
        name = f"{prefix}-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name


class ToldTooEarly(Exception):
    """The monitor refused a command because it has not yet announced the identity of its cluster."""


def has_ended(process: "subprocess.Popen[bytes]") -> bool:
    return process.poll() is not None


def running_ceph() -> Iterator[Ceph]:
    with started(Ceph()) as server:
        yield server
