"""What `make bench` measures processes with."""

import subprocess
import sys

from bench.meter import Meter
from local.linux import descendants

BURNED_S = 0.4
# Says that its child works as soon as that has begun, and waits for its end, as a worker does for its work-horse.
WORKER = f"""
import subprocess, sys
burn = "import time\\nprint('at work', flush=True)\\nwhile time.process_time() < {BURNED_S}: pass"
input()
subprocess.run([sys.executable, "-c", burn], stdout=sys.stdout)
input()
"""


def test_the_processors_are_read_when_the_last_child_has_ended() -> None:
    """Not when the film is ready: a worker's child has something to do after that."""
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
