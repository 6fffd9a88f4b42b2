"""What containers run, run without them: the entry point with a real PostgreSQL, and what the files for Docker say."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from tests.services import PROJECT, Platform, free_port, wait_for
from tests.with_postgresql import postgresql

ENTRYPOINT = PROJECT / "docker" / "entrypoint.sh"
COMPOSE_FILES = ("docker-compose.yml", "docker-compose.dev.yml")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a database server on localhost, and of the authority that made it (itself)."""
    path = tmp_path_factory.mktemp("certificate") / "server.crt"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name]
    files = ["-keyout", str(path.with_suffix(".key")), "-out", str(path)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return path


@pytest.fixture
def machine(tmp_path: Path, certificate: Path) -> Iterator[Platform]:
    """As compose would have it: PostgreSQL that insists on TLS, Redis, and a data folder."""
    platform = Platform(tmp_path)
    with postgresql(certificate=certificate) as url:
        del platform.env["DATABASE_URL"], platform.env["PREPARED_FILE"]
        platform.env |= {
            "DB_HOST": "localhost",
            "DB_PORT": url.split(":")[-1].split("/")[0],
            "DB_NAME": "postgres",
            "DB_USER": "videoflix",
            "DB_SSL_REQUIRE": "1",
            "DB_SSL_ROOTCERT": str(certificate),
            "DB_POOL_SIZE": "4",
            "WEB_PORT": str(platform.port),
            "WEB_WORKERS": "2",
            "TMPDIR": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        try:
            yield platform
        finally:
            platform.stop()


def enter(machine: Platform, *arguments: str, limit_s: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ENTRYPOINT), *arguments], env=machine.env, capture_output=True, text=True, timeout=limit_s,
        check=False,
    )  # fmt: skip


def start(machine: Platform, role: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return machine.start(role, "/bin/sh", str(ENTRYPOINT), role, *arguments)


def test_everything_starts_in_any_order_works_and_ends_when_asked(machine: Platform, clip: Path) -> None:
    for role in ("web", "worker", "reaper"):
        start(machine, role)
    time.sleep(1)  # nobody has what they need yet
    machine.start_redis()
    wait_for(machine.is_web_up, limit_s=180, what="web")
    health = ["/bin/sh", str(PROJECT / "docker/healthcheck.sh")]
    assert subprocess.run(health, env=machine.env, check=False).returncode == 0
    admin = machine.sign_in()
    uploaded = admin.upload(clip, title="From a container")
    assert uploaded.status == 201, uploaded.body
    assert machine.wait_until_done(admin, uploaded.json()["id"])["processing_state"] == "ready"
    for role in ("web", "worker", "reaper"):
        began = time.monotonic()
        process = machine.programs.pop(role)
        process.terminate()
        assert process.wait(30) in (0, -15), role
        assert time.monotonic() - began < 15, role


@pytest.mark.slow
def test_two_that_prepare_the_database_at_once_do_it_once(machine: Platform) -> None:
    machine.start_redis()
    machine.env["WEB_PORT"] = str(free_port())
    start(machine, "web")
    machine.env["WEB_PORT"] = str(machine.port)
    machine.start("second", "/bin/sh", str(ENTRYPOINT), "web")
    wait_for(machine.is_web_up, limit_s=180, what="web")
    assert "Traceback" not in machine.log.read_text()


def test_commands_of_manage_py_are_run(machine: Platform) -> None:
    machine.start_redis()
    done = enter(machine, "bootstrap", "--migrate")
    assert done.returncode == 0, done.stderr
    assert "Sign in as" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DB_PORT", "1", "The database does not answer"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "Redis does not answer"),
        ("DB_SSL_ROOTCERT", "/nowhere.pem", "The database does not answer"),
    ],
)
def test_what_does_not_come_is_one_sentence_in_bounded_time(
    machine: Platform, name: str, value: str, sentence: str
) -> None:
    machine.env |= {"DB_POOL_SIZE": "0", name: value, "WAIT_SECONDS": "2"}
    done = enter(machine, "web", limit_s=60)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_wait_for_the_database_to_be_up_to_date(machine: Platform) -> None:
    machine.start_redis()
    machine.env["WAIT_SECONDS"] = "2"
    done = enter(machine, "worker", limit_s=60)
    assert done.returncode == 1
    assert "not up to date" in done.stderr


# --- the files for Docker --------------------------------------------------------------------------------------------


def compose(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / name).read_text())
    return loaded


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_compose_files_are_what_the_specification_says(name: str) -> None:
    schema = json.loads((PROJECT / "tests/compose/compose-spec.json").read_text())
    problems = [error.message for error in Draft201909Validator(schema).iter_errors(compose(name))]
    assert problems == []


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_services_volumes_and_files_that_compose_names_are_there(name: str) -> None:
    loaded = compose(name)
    for service in loaded["services"].values():
        assert set(service.get("depends_on", {})) <= set(loaded["services"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (PROJECT / source).exists() if source.startswith(".") else source in loaded["volumes"]


def test_the_services_of_production_are_all_there() -> None:
    services = compose("docker-compose.yml")["services"]
    wanted = {"web", "rq_worker", "reaper", "redis", "db", "nginx", "certbot_bootstrap", "certbot_renew"}
    assert wanted <= set(services)
    assert "ports" not in services["db"]
    assert "ports" not in services["redis"]
    assert "appendonly" in services["redis"]["command"][1]


def test_the_image_copies_what_is_there_and_runs_as_nobody_special() -> None:
    text = (PROJECT / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--)(\S+) ", text, re.MULTILINE)
    assert copied
    assert all((PROJECT / source).exists() for source in copied)
    assert "USER 10001:10001" in text
    assert "HEALTHCHECK" in text
    ignored = (PROJECT / ".dockerignore").read_text()
    assert all(f"!{source}" in ignored for source in copied)


@pytest.mark.parametrize(
    "script", ["docker/entrypoint.sh", "docker/healthcheck.sh", "nginx/entrypoint.sh", "nginx/certbot.sh"]
)
def test_scripts_are_plain_sh_and_may_be_run(script: str) -> None:
    path = PROJECT / script
    assert os.access(path, os.X_OK)
    assert subprocess.run(["/bin/sh", "-n", str(path)], check=False).returncode == 0
