"""What a program that reads untrusted files is closed off from, and by which means of this kernel.

The launcher applies what is worked out here; the programs need nothing installed, no rights and no user of their own.
"""

import ctypes
import functools
import platform
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from media_pipeline.errors import PipelineError
from media_pipeline.ffmpeg.seccomp import SECCOMP_CALL, filter_for

LANDLOCK_CREATE_RULESET = 444  # the same on every machine
LANDLOCK_CREATE_RULESET_VERSION = 1
SECCOMP_GET_ACTION_AVAIL, SECCOMP_RET_ERRNO = 2, 0x0005_0000
PR_SET_DUMPABLE = 4

# Rights of Landlock to files, by the version that brought them.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_REG, REFER, TRUNCATE, IOCTL_DEV = 1 << 8, 1 << 13, 1 << 14, 1 << 15
FILE_RIGHTS = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: IOCTL_DEV}
NETWORK_RIGHTS = {4: 0b11}  # bind and connect, TCP
SCOPES = {6: 0b11}  # abstract sockets and signals reach no process outside
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

RUN = EXECUTE | READ_FILE | READ_DIR
READ = READ_FILE | READ_DIR
# No links and no pipes: the worker would follow the one and wait for the other. Nothing is removed or renamed.
WRITE = READ_FILE | WRITE_FILE | TRUNCATE | MAKE_REG
# Programs and libraries as distributions lay them out; no folder in which people keep their own.
SYSTEM = (
    "/bin", "/lib", "/lib32", "/lib64", "/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec",
    "/usr/local/bin", "/usr/local/lib", "/usr/local/lib64", "/nix/store", "/gnu/store", "/etc/ld.so.cache",
)  # fmt: skip
DEVICES = {"/dev/null": READ_FILE | WRITE_FILE, "/dev/zero": READ_FILE, "/dev/urandom": READ_FILE}


class Demand(StrEnum):
    """What an operator asks for: what this kernel has, to process nothing without it, or nothing at all."""

    BEST = "best"
    REQUIRED = "required"
    OFF = "off"


class SandboxMissing(PipelineError):
    code = "encoder_failed"
    permanent = False
    sentence = "This machine cannot close off the programs that read videos, which SANDBOX=required demands."


@dataclass(frozen=True)
class Means:
    """Of this kernel; 0 and False where it has none, or where a container's runtime keeps it back."""

    landlock: int  # the version of its interface
    has_filter: bool

    @property
    def is_whole(self) -> bool:
        return bool(self.landlock) and self.has_filter


@functools.cache
def means_here() -> Means:
    libc = ctypes.CDLL(None)
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_CREATE_RULESET_VERSION)
    call = SECCOMP_CALL.get(platform.machine())
    action = ctypes.c_uint32(SECCOMP_RET_ERRNO)
    has_filter = call is not None and libc.syscall(call, SECCOMP_GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0
    return Means(max(0, version), has_filter)


def orders_for(
    program: str, reads: Iterable[Path], writes: Iterable[Path], means: Means, *, may_start_programs: bool
) -> dict[str, Any]:
    """What the launcher is told: it may run the program, read these files and folders, and fill these folders."""
    call, machine = SECCOMP_CALL.get(platform.machine(), 0), platform.machine()
    return {
        "landlock": landlock_rules(program, reads, writes, means.landlock),
        "filter": filter_for(machine, may_start_programs=may_start_programs) if means.has_filter else [],
        "seccomp_call": call,
    }


def landlock_rules(program: str, reads: Iterable[Path], writes: Iterable[Path], version: int) -> dict[str, Any] | None:
    """What is handled and what of it is allowed beneath which path, for a version of Landlock; None without one.

    Rules hold for what lies at a path now: an original that is exchanged later is another file.
    """
    if not version:
        return None
    handled = rights_of(FILE_RIGHTS, version)
    wanted: list[tuple[str | Path, int]] = [
        *((path, RUN) for path in (*SYSTEM, *libraries_of(program), program)),
        *DEVICES.items(),
        *((path, READ) for path in reads),
        *((path, WRITE) for path in writes),
    ]
    present = [(Path(path), rights & handled) for path, rights in wanted if Path(path).exists()]
    rules = [(str(path.absolute()), rights if path.is_dir() else rights & OF_A_FILE) for path, rights in present]
    return {
        "files": handled,
        "network": rights_of(NETWORK_RIGHTS, version),
        "scopes": rights_of(SCOPES, version),
        "rules": rules,
    }


def rights_of(by_version: dict[int, int], version: int) -> int:
    return sum(rights for since, rights in by_version.items() if since <= version)


def libraries_of(program: str) -> list[str]:
    """Beside the `bin` in which the program really is: of an ffmpeg or a Python in a folder of its own."""
    home = Path(program).resolve().parent.parent
    return [str(home / name) for name in ("lib", "lib64")]


def interpreter_files() -> list[Path]:
    """What this Python reads when it starts, and its packages; for a program that is Python itself."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return [Path(sys.prefix, "pyvenv.cfg"), *map(Path, sorted(folders))]


def keep_own_memory() -> None:
    """Programs of the same user cannot read this process's memory and environment, also where there is no Landlock."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
