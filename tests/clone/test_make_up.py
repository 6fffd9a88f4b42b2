"""`make up` in a fresh clone, as a user without rights, with no ffmpeg, no Redis and no uv on PATH."""

import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client import Client
from tests.clone.machine import END_S, Machine, Run
from tests.services import wait_for

pytestmark = pytest.mark.clone

SECOND_RUN_S = 20
# Parts of the workers' command lines: one names its queue, the other names none and serves all.
FILM_WORKER, ERRANDS_WORKER = "rqworker\0--verbosity", "rqworker\0default"
DEMO_ID = "b1b2c3d4-0000-4000-8000-b16b0cb0bb17"
OLD_PYTHON = '#!/bin/sh\ncase "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac\n'


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine in a folder of its own, because other users cannot enter pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="videoflix-clone-"))
    folder.chmod(0o755)
    yield Machine(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def first_run(machine: Machine) -> Iterator[Run]:
    """The first `make up` of the fresh clone, once the demo can be watched; it runs on during the tests."""
    run = machine.make_up(None, "WORKERS=1")
    try:
        run.wait_for("The demo is ready to watch")
        yield run
    finally:
        run.end()


@pytest.fixture(scope="module")
def used(machine: Machine, first_run: Run) -> Machine:
    """The machine after Ctrl-C."""
    first_run.press_ctrl_c()
    first_run.wait(END_S)
    return machine


def sign_in(run: Run, password: str) -> Client:
    client = Client(run.origin)
    answer = client.post_json("/users/login/", {"email": "admin@videoflix.local", "password": password})
    assert answer.status == 200, answer.body
    return client


def printed_password(run: Run) -> str:
    (password,) = re.findall(r"Sign in as admin@videoflix\.local with the password (\S+) \(shown only this", run.text())
    return str(password)


# --- What is refused, before anything is installed ---


def test_a_busy_port_is_reported_in_one_sentence(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = machine.refused(port=port)
    assert re.fullmatch(rf"Port {port} is in use: stop what listens there or .* `make up PORT=\d+`\.", said)


def test_a_folder_that_cannot_be_written_to_is_reported_in_one_sentence(machine: Machine) -> None:
    if os.geteuid() == 0:
        said = machine.refused("DATA_DIR=/root/videoflix")
        assert re.fullmatch(r"/root/videoflix cannot be written to \(Permission denied\): set DATA_DIR to .*\.", said)
    machine.clone.chmod(0o555)
    try:
        said = machine.refused()
    finally:
        machine.clone.chmod(0o755)
    assert re.fullmatch(r"/.*/var cannot be written to \(Permission denied\): set DATA_DIR to a folder that .*\.", said)


def test_an_old_python_is_reported_in_one_sentence(machine: Machine) -> None:
    python = machine.path / "python3"
    own = python.read_text()
    python.write_text(OLD_PYTHON)
    try:
        said = machine.refused()
    finally:
        python.write_text(own)
    assert re.fullmatch(r"Videoflix needs Python 3\.11 or newer, but python3 is 3\.9 here: install .*\.", said)


def test_a_setting_that_is_no_number_is_reported_in_one_sentence(machine: Machine) -> None:
    said = machine.refused("WORKERS=many")
    assert said == "WORKERS is 'many': set it to a whole number from 1 to 64."


# --- The first run ---


def test_it_prints_where_to_go(first_run: Run) -> None:
    for path in ("/", "/admin/", "/api/docs/"):
        assert f"{first_run.origin}{path}" in first_run.text()
        assert Client(first_run.origin).get(path).status in (200, 302)


def test_the_demo_plays_and_only_with_a_signature(first_run: Run) -> None:
    client = sign_in(first_run, printed_password(first_run))
    video = client.get(f"/content/{DEMO_ID}/").json()
    assert video["title"] == "Big Buck Bunny"
    assert {"120p", "360p", "720p", "1080p"} == set(video["converted_files"])
    master = client.get(video["hls_url"])
    assert master.status == 200
    playlist = next(line for line in master.body.decode().splitlines() if line.startswith("/media/"))
    assert b"#EXT-X-BYTERANGE" in client.get(playlist).body
    film = client.get(f"/content/video-url/{video['id']}/?quality=1080p").json()["url"]
    part = client.get(film, {"Range": "bytes=1000-1999"})
    assert (part.status, len(part.body)) == (206, 1000)
    unsigned = re.sub(r"/media/[^/]+/", "/media/", film)
    assert Client(first_run.origin).get(unsigned).status == 403


def test_three_more_films_follow_the_first_one(first_run: Run) -> None:
    client = sign_in(first_run, printed_password(first_run))

    def are_ready() -> bool:
        return [video["is_playable"] for video in client.get("/content/").json()] == [True] * 4

    wait_for(are_ready, limit_s=120, what="four films to watch")
    newest, *_ = client.get("/content/").json()
    assert newest["public_id"] == DEMO_ID


def test_a_killed_worker_is_reported_and_replaced(machine: Machine, first_run: Run) -> None:
    # A busy worker has a child with the same command line.
    wait_for(lambda: len(machine.processes(FILM_WORKER)) == 1, what="an idle worker")
    (worker,) = machine.processes(FILM_WORKER)
    os.kill(worker, signal.SIGKILL)
    first_run.wait_for(r"^worker-1 was ended by SIGKILL; it starts again in 0\.5 s\.$", limit_s=30)
    wait_for(lambda: set(machine.processes(FILM_WORKER)) - {worker}, what="another worker")


def test_errands_have_a_worker_of_their_own(machine: Machine, first_run: Run) -> None:
    wait_for(lambda: len(machine.processes(ERRANDS_WORKER)) == 1, what="one worker that is idle")


def test_manage_py_in_another_terminal_speaks_to_the_same_services(machine: Machine, first_run: Run) -> None:
    finished = machine.manage("requeue_stuck_videos")
    assert finished.stdout == "0 video(s) taken back, 0 enqueued.\n", finished.stderr


def test_a_second_one_in_the_same_folder_is_refused_in_one_sentence(machine: Machine, first_run: Run) -> None:
    said = machine.refused()
    assert re.fullmatch(r"Videoflix already runs with the data in /.*/var \(process \d+\): stop it, or .*\.", said)


# --- The end, and what is left ---


def test_ctrl_c_ends_every_process(used: Machine, first_run: Run) -> None:
    assert used.processes() == []
    assert first_run.text().count("Stopped;") == 1


def test_it_wrote_only_into_its_two_folders(used: Machine) -> None:
    assert used.untracked() == [".venv/", "var/"]
    # pip keeps its downloads in ~/.cache, as always.
    assert [path.name for path in used.home.iterdir() if path.name != ".cache"] == []


def test_no_other_user_may_read_its_data(used: Machine) -> None:
    for path in (used.clone / "var", used.clone / "var" / "secret_key", used.clone / "var" / "local.env"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_second_run_serves_soon_and_keeps_its_data(used: Machine, first_run: Run) -> None:
    run = used.make_up()
    run.wait_for("Videoflix is up", limit_s=SECOND_RUN_S)
    client = sign_in(run, printed_password(first_run))
    assert [video["is_playable"] for video in client.get("/content/").json()] == [True] * 4
    run.press_ctrl_c()
    run.wait(END_S)
    assert used.processes() == []


def test_a_supervisor_that_is_killed_leaves_nothing(used: Machine) -> None:
    run = used.make_up()
    run.wait_for("Videoflix is up")
    wait_for(lambda: used.processes("rqworker"), what="a worker")
    # Until it has started its program, a child has the command line of the supervisor.
    wait_for(lambda: len(used.processes("local.up")) == 1, what="the supervisor alone")
    (supervisor,) = used.processes("local.up")
    os.kill(supervisor, signal.SIGKILL)
    assert run.wait(END_S) != 0
    wait_for(lambda: used.processes() == [], what="the end of every process")


def test_a_broken_ffmpeg_is_reported_in_one_sentence(used: Machine) -> None:
    said = used.refused("FFMPEG_BIN=/bin/false")
    assert said == (
        "Starting …\nFFMPEG_BIN is /bin/false, which does not run; set it to a working ffmpeg or leave it unset."
    )
    assert used.processes() == []


def test_a_weak_password_for_the_first_admin_is_reported_in_one_sentence(used: Machine) -> None:
    said = used.refused("DEFAULT_ADMIN_PASSWORD=1234", f"DATA_DIR={used.home / 'other data'}")
    assert said.startswith("Starting …\nDEFAULT_ADMIN_PASSWORD is too weak: ")
    assert said.count("\n") == 1
    assert used.processes() == []
