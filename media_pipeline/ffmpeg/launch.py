"""Starts a program that reads untrusted files, under limits it cannot lift; run as a script, standard library only.

`python -I -S launch.py '{"parent": 12, …}' program argument…` applies the limits to itself and becomes the program.
A script of its own rather than `preexec_fn`, which is unsafe in a process that has threads.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
# Of each thread; 8 MiB is the usual default, and a program with hundreds of threads would reserve gigabytes.
STACK_BYTES = 2 * 1024**2


def die_with_parent(libc: Any, parent: int) -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the request was made; then nobody would ever end this process.
    if os.getppid() != parent:
        os._exit(1)


def leave_network(libc: Any) -> None:
    """No network at all where the kernel allows it; protocols are on an allow-list in any case."""
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def go_first_when_memory_ends() -> None:
    """The kernel then ends this process rather than the database next to it."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - imports little
        file.write("1000")


def limit(kind: int, value: int, *, grace: int = 0) -> None:
    highest = resource.getrlimit(kind)[1]
    soft, hard = (each if highest == resource.RLIM_INFINITY else min(each, highest) for each in (value, value + grace))
    resource.setrlimit(kind, (soft, hard))


def main() -> None:
    limits, program = json.loads(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    die_with_parent(libc, limits["parent"])
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    leave_network(libc)
    go_first_when_memory_ends()
    limit(resource.RLIMIT_AS, limits["memory_bytes"])
    limit(resource.RLIMIT_CPU, limits["cpu_s"], grace=1)  # then it ends by SIGXCPU, which tells why
    limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    limit(resource.RLIMIT_NOFILE, 256)
    limit(resource.RLIMIT_STACK, STACK_BYTES)
    limit(resource.RLIMIT_CORE, 0)
    os.nice(limits["nice"])
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
