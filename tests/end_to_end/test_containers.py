"""Containers, tested without Docker: the entry point with a real PostgreSQL, and the contents of the Docker files."""

import hashlib
import json
import os
import re
import shutil
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
    """The self-signed certificate of a database server on localhost."""
    path = tmp_path_factory.mktemp("certificate") / "server.crt"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name]
    files = ["-keyout", str(path.with_suffix(".key")), "-out", str(path)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return path


@pytest.fixture
def machine(tmp_path: Path, certificate: Path) -> Iterator[Platform]:
    """The surroundings of a container: PostgreSQL that requires TLS, Redis (not started yet), and a data folder."""
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
    time.sleep(1)  # neither Redis nor a migrated database is there yet
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
def test_two_containers_that_start_at_once_prepare_the_database_once(machine: Platform) -> None:
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
def test_a_missing_service_is_one_sentence_in_bounded_time(
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
def test_compose_files_fit_the_specification(name: str) -> None:
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


# --- images with their digests ---------------------------------------------------------------------------------------

IMAGE = re.compile(r"\$\{([A-Z]+_IMAGE):-([a-z0-9./-]+:[A-Za-z0-9.-]+)\}")
FAKE_DOCKER = """#!/bin/sh
[ "$*" = "buildx imagetools inspect --format {{.Manifest.Digest}} $6" ] || { echo "$@" >&2; exit 2; }
case $6 in $REFUSED*) echo "no such image" >&2; exit 1 ;; esac
echo "sha256:$(printf %s "$6" | sha256sum | cut -d' ' -f1)"
"""


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_each_image_that_is_not_built_here_can_be_pinned(name: str) -> None:
    own = ("videoflix", "videoflix-dev")
    images = [service["image"] for service in compose(name)["services"].values() if service["image"] not in own]
    assert images
    assert all(IMAGE.fullmatch(image) for image in images)
    build = compose(name)["x-platform"]["build"]
    default = re.search(r"^ARG PYTHON_IMAGE=(.+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert default
    assert build["args"] == {"PYTHON_IMAGE": f"${{PYTHON_IMAGE:-{default[1]}}}"}
    assert set(re.findall(r"^FROM (\S+)", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def pin_images(folder: Path, *, refused: str = "nothing") -> subprocess.CompletedProcess[str]:
    """Runs the script with a fake `docker` that knows every image but the refused one."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "docker").mkdir(exist_ok=True)
    for name in (*COMPOSE_FILES, "docker/pin-images.sh"):
        shutil.copy(PROJECT / name, folder / name)
    (folder / "bin" / "docker").write_text(FAKE_DOCKER)
    (folder / "bin" / "docker").chmod(0o755)
    env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "REFUSED": refused}
    return subprocess.run(
        ["/bin/sh", str(folder / "docker/pin-images.sh")], env=env, capture_output=True, text=True, check=False
    )


def digest_of(image: str) -> str:
    return f"{image}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def test_a_script_writes_the_digest_of_every_image_where_compose_reads_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY='a=b'\n# The queue.\nREDIS_IMAGE=\nMY_IMAGE=mine")
    (tmp_path / ".env").chmod(0o640)
    for _ in range(2):  # the second time changes nothing
        done = pin_images(tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        lines = (tmp_path / ".env").read_text().splitlines()
        assert lines[:4] == [
            "SECRET_KEY='a=b'",
            "# The queue.",
            f"REDIS_IMAGE={digest_of('redis:7-bookworm')}",
            "MY_IMAGE=mine",
        ]
        wanted = {found for name in COMPOSE_FILES for found in IMAGE.findall((PROJECT / name).read_text())}
        assert {f"{name}={digest_of(image)}" for name, image in wanted} == {lines[2], *lines[4:]}
        assert len(lines) == 3 + len(wanted)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o640
    assert not (tmp_path / ".env.pinned").exists()


def test_a_new_file_of_settings_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert pin_images(tmp_path).returncode == 0
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_an_image_that_is_not_found_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("REDIS_IMAGE=mine\n")
    done = pin_images(tmp_path, refused="nginx")
    assert done.returncode == 1
    assert "The digest of nginx:1.28-bookworm could not be found out; nothing was changed." in done.stderr
    assert (tmp_path / ".env").read_text() == "REDIS_IMAGE=mine\n"


# --- the file for development ----------------------------------------------------------------------------------------


def test_development_is_published_on_this_machine_only() -> None:
    ports = [
        port for service in compose("docker-compose.dev.yml")["services"].values() for port in service.get("ports", [])
    ]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_development_has_no_default_password() -> None:
    """Every secret comes from DEV_SECRET. Without it Compose prints a sentence and starts nothing."""
    loaded = compose("docker-compose.dev.yml")
    for service in loaded["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "DEV_SECRET" in value or not re.search("PASSWORD|SECRET|DATABASE_URL", name), name
    demanded = loaded["services"]["db"]["environment"]["POSTGRES_PASSWORD"]
    assert re.fullmatch(r"\$\{DEV_SECRET:\?is missing, [^${}]*openssl rand -hex 24[^${}]*\}", demanded)
    assert demanded == loaded["services"]["s3"]["environment"]["MINIO_ROOT_PASSWORD"]


def test_the_image_copies_files_that_exist_and_does_not_run_as_root() -> None:
    text = (PROJECT / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--)(\S+) ", text, re.MULTILINE)
    assert copied
    assert all((PROJECT / source).exists() for source in copied)
    assert "USER 10001:10001" in text
    assert "HEALTHCHECK" in text
    ignored = (PROJECT / ".dockerignore").read_text()
    assert all(f"!{source}" in ignored for source in copied)


@pytest.mark.parametrize(
    "script",
    [
        "docker/entrypoint.sh",
        "docker/healthcheck.sh",
        "docker/pin-images.sh",
        "nginx/entrypoint.sh",
        "nginx/certbot.sh",
    ],
)
def test_scripts_are_plain_sh_and_executable(script: str) -> None:
    path = PROJECT / script
    assert os.access(path, os.X_OK)
    assert subprocess.run(["/bin/sh", "-n", str(path)], check=False).returncode == 0
