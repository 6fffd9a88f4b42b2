"""Starts a program that reads untrusted files, under limits that it cannot lift. A script: standard library only.

`python -I -S launch.py '{"parent": 12, …}' program argument…` applies the limits to itself and becomes the program.
This is not a `preexec_fn`, because that is unsafe in a process with threads.
"""

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from contextlib import suppress
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
# For each thread. With the usual 8 MiB, a program with hundreds of threads would reserve gigabytes.
STACK_BYTES = 2 * 1024**2
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_RULE_PATH_BENEATH = 1
SECCOMP_SET_MODE_FILTER = 1
# Without this flag, older kernels slow down every program that has a filter.
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4
CAPABILITIES_VERSION = 0x20080522
CAP_DAC_READ_SEARCH = 1 << 2


def die_with_parent(libc: Any, parent: int) -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the request was made: then no signal would ever come.
    if os.getppid() != parent:
        os._exit(1)


def set_limit(kind: int, value: int, *, grace: int = 0) -> None:
    """Sets a limit, and a hard one that is `grace` higher; never above the limit that the machine has already."""
    highest = resource.getrlimit(kind)[1]
    soft, hard = (each if highest == resource.RLIM_INFINITY else min(each, highest) for each in (value, value + grace))
    resource.setrlimit(kind, (soft, hard))


def system_call(libc: Any, number: int, *arguments: Any) -> int:
    """Raises OSError when the call fails, which ends the launcher before the program has begun."""
    wide = (ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    answer = int(libc.syscall(ctypes.c_long(number), *wide))
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return answer


def close_off_files(libc: Any, landlock: dict[str, Any]) -> None:
    """Lets this process, and all that it starts, open from here on only what the rules of Landlock name."""
    handled = struct.pack("=QQQ", landlock["files"], landlock["network"], landlock["scopes"])
    ruleset = system_call(libc, LANDLOCK_CREATE_RULESET, handled, len(handled), 0)
    for path, rights in landlock["rules"]:
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        system_call(libc, LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, struct.pack("=Qi", rights, file), 0)
        os.close(file)
    system_call(libc, LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def give_up_capabilities(libc: Any) -> None:
    """Takes away the capabilities of root. Without new privileges they never come back."""
    header, held = struct.pack("=Ii", CAPABILITIES_VERSION, 0), ctypes.create_string_buffer(24)
    libc.capget(header, held)
    # Reading stays for root: the folders on the way to a film may belong to another user.
    kept = struct.unpack_from("=I", held)[0] & CAP_DAC_READ_SEARCH
    if libc.capset(header, struct.pack("=IIIIII", kept, kept, 0, 0, 0, 0)) != 0:
        raise OSError(ctypes.get_errno(), "capabilities could not be given up")


def filter_calls(libc: Any, seccomp_call: int, instructions: list[list[int]]) -> None:
    # A negative value stands for the number of this very process, see seccomp.OWN_PID.
    own = os.getpid()
    packed = b"".join(struct.pack("=HBBI", *each[:3], own if each[3] < 0 else each[3]) for each in instructions)
    code = ctypes.create_string_buffer(packed, len(packed))
    program = struct.pack("@HP", len(instructions), ctypes.addressof(code))
    system_call(libc, seccomp_call, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, program)


def main() -> None:
    limits, program = json.loads(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    die_with_parent(libc, limits["parent"])
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # An empty network of its own. Without root that takes a user namespace, which some kernels refuse; protocols are on
    # an allow-list in any case.
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    # When memory runs out, the kernel ends this process and not the database beside it.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - imports little
        file.write("1000")
    set_limit(resource.RLIMIT_AS, limits["memory_bytes"])
    # At the soft limit the process ends by SIGXCPU, which tells the reason; at the hard one by SIGKILL.
    set_limit(resource.RLIMIT_CPU, limits["cpu_s"], grace=1)
    set_limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    set_limit(resource.RLIMIT_NOFILE, 256)
    set_limit(resource.RLIMIT_STACK, STACK_BYTES)
    # No core dumps: they would have the film in them, and fill the disk.
    set_limit(resource.RLIMIT_CORE, 0)
    os.nice(limits["nice"])
    if sandbox := limits["sandbox"]:
        give_up_capabilities(libc)
        if sandbox["landlock"]:
            close_off_files(libc, sandbox["landlock"])
        if sandbox["filter"]:
            filter_calls(libc, sandbox["seccomp_call"], sandbox["filter"])
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
