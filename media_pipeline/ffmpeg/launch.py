"""Starts a program that reads untrusted files, under limits it cannot lift; run as a script, standard library only.

`python -I -S launch.py '{"parent": 12, …}' program argument…` applies the limits to itself and becomes the program.
A script of its own rather than `preexec_fn`, which is unsafe in a process that has threads.
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
# Of each thread; 8 MiB is the usual default, and a program with hundreds of threads would reserve gigabytes.
STACK_BYTES = 2 * 1024**2
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_RULE_PATH_BENEATH = 1
SECCOMP_SET_MODE_FILTER = 1
# Without it, older kernels slow down every program that has a filter.
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4
CAPABILITIES_VERSION = 0x20080522
CAP_DAC_READ_SEARCH = 1 << 2


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


def call(libc: Any, number: int, *arguments: Any) -> int:
    """A system call; raises OSError when it fails, which ends the launcher before the program has begun."""
    wide = (ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    answer = int(libc.syscall(ctypes.c_long(number), *wide))
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return answer


def close_off_files(libc: Any, landlock: dict[str, Any]) -> None:
    """From here on the process opens nothing but what the rules name; those who come after it neither."""
    handled = struct.pack("=QQQ", landlock["files"], landlock["network"], landlock["scopes"])
    ruleset = call(libc, LANDLOCK_CREATE_RULESET, handled, len(handled), 0)
    for path, rights in landlock["rules"]:
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        call(libc, LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, struct.pack("=Qi", rights, file), 0)
        os.close(file)
    call(libc, LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def give_up_capabilities(libc: Any) -> None:
    """What a process of root may do beyond the files that belong to it; without new privileges they never come back."""
    header, held = struct.pack("=Ii", CAPABILITIES_VERSION, 0), ctypes.create_string_buffer(24)
    libc.capget(header, held)
    # Of root's, reading stays: the folders on the way to a film may be those of another user.
    kept = struct.unpack_from("=I", held)[0] & CAP_DAC_READ_SEARCH
    if libc.capset(header, struct.pack("=IIIIII", kept, kept, 0, 0, 0, 0)) != 0:
        raise OSError(ctypes.get_errno(), "capabilities could not be given up")


def filter_calls(libc: Any, seccomp_call: int, instructions: list[list[int]]) -> None:
    own = os.getpid()
    packed = b"".join(struct.pack("=HBBI", *each[:3], own if each[3] < 0 else each[3]) for each in instructions)
    code = ctypes.create_string_buffer(packed, len(packed))
    program = struct.pack("@HP", len(instructions), ctypes.addressof(code))
    call(libc, seccomp_call, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, program)


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
    if sandbox := limits["sandbox"]:
        give_up_capabilities(libc)
        if sandbox["landlock"]:
            close_off_files(libc, sandbox["landlock"])
        if sandbox["filter"]:
            filter_calls(libc, sandbox["seccomp_call"], sandbox["filter"])
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
