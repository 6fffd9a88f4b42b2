"""Starts a program that reads untrusted files, under limits it cannot lift; run as a script, standard library only.

`python -I -S limits.py '{"parent": 12, …}' program argument…` applies the limits to itself and becomes the program.
A script of its own rather than `preexec_fn`, which is unsafe in a process that has threads.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000


def die_with_parent(libc: Any, parent: int) -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the request was made; then nobody would ever end this process.
    if os.getppid() != parent:
        os._exit(1)


def leave_network(libc: Any) -> None:
    """No network at all where the kernel allows it; protocols are on an allow-list in any case."""
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def main() -> None:
    limits, program = json.loads(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    die_with_parent(libc, limits["parent"])
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    leave_network(libc)
    limit(resource.RLIMIT_AS, limits["memory_bytes"])
    limit(resource.RLIMIT_CPU, limits["cpu_s"])
    limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    limit(resource.RLIMIT_NOFILE, 256)
    limit(resource.RLIMIT_CORE, 0)
    os.nice(limits["nice"])
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
