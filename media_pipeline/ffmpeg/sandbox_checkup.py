"""Tries out what a program that reads untrusted files can reach on this machine."""

import json
import socket
import sys
import tempfile
from pathlib import Path

from media_pipeline.errors import PipelineError
from media_pipeline.ffmpeg import run
from media_pipeline.ffmpeg.sandbox import Means, interpreter_files
from media_pipeline.limits import ChildLimits

KINDS = ("files", "network", "processes", "environment")
TIME_LIMIT_S = 20
ESCAPE = Path(run.__file__).with_name("escape.py")


def escapes(folder: Path) -> list[str]:
    """The attempts to escape that succeed on this machine, as `kind: deed`. Raises PipelineError when none can be made.

    `folder` is empty, and is removed by the caller.
    """
    inside, outside = folder / "inside", folder / "outside"
    (inside / "work").mkdir(parents=True)
    outside.mkdir()
    (inside / "source").write_bytes(b"source")
    (outside / "secret").write_bytes(b"secret")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        # The address of a socket has no room for a long path.
        tempfile.TemporaryDirectory() as short,
        socket.create_server(f"{short}/socket", family=socket.AF_UNIX) as neighbour,
    ):
        port = str(server.getsockname()[1])
        finished = run.run_limited(
            [sys.executable, "-I", str(ESCAPE), str(inside), str(outside), neighbour.getsockname(), port],
            limits=ChildLimits(cpu_s=TIME_LIMIT_S),
            time_limit_s=TIME_LIMIT_S,
            stall_s=TIME_LIMIT_S,
            reads=[inside / "source", ESCAPE, *interpreter_files()],
            writes=[inside / "work"],
        )
    if finished.returncode:
        raise PipelineError("The sandbox could not be tried out.", detail=finished.stderr[-1000:])
    achieved: list[str] = json.loads(finished.stdout)
    return achieved


def summarize(achieved: list[str], means: Means) -> str:
    """One line that says what is closed off here, what is not, and by which means."""
    open_kinds = {one.partition(":")[0] for one in achieved}
    closed = [kind for kind in KINDS if kind not in open_kinds]
    landlock = f"Landlock {means.landlock}" if means.landlock else "no Landlock"
    used = f"{landlock}, {'a' if means.has_filter else 'no'} filter of system calls"
    text = f"closed off: {', '.join(closed) or 'nothing'} ({used})"
    return f"{text}; not closed off: {'; '.join(achieved)}" if achieved else text
