"""The meter with which `make bench` measures processes."""

import subprocess
import sys

from bench.meter import Meter
from local.linux import descendants

BURNED_S = 0.4
# Reports when its child has begun to work, and waits for the child's end, as a worker does for its work-horse.
WORKER = f"""
import subprocess, sys
burn = "import time\\nprint('at work', flush=True)\\nwhile time.process_time() < {BURNED_S}: pass"
input()
subprocess.run([sys.executable, "-c", burn], stdout=sys.stdout)
input()
"""


def test_the_processors_are_read_when_the_last_child_has_ended() -> None:
    """The meter does not stop when the film is ready, because the worker's child works a little longer."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", WORKER], stdin=pipe, stdout=pipe, text=True, bufsize=1) as worker:
        assert worker.stdin
        assert worker.stdout
        with Meter([worker.pid], with_themselves=True) as meter:
            worker.stdin.write("begin\n")
            assert worker.stdout.readline() == "at work\n"
        assert descendants(worker.pid) == set()
        worker.stdin.write("end\n")
    assert meter.cost.cpu_s >= BURNED_S - 0.02  # the kernel counts in hundredths of a second
