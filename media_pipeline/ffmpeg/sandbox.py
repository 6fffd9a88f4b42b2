"""Works out what a program that reads untrusted files is closed off from, with the means that this kernel has.

The launcher applies it. That needs no installed package, no privileges and no separate user.
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

# The number of this system call is the same on every machine.
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_CREATE_RULESET_VERSION = 1
SECCOMP_GET_ACTION_AVAIL, SECCOMP_RET_ERRNO = 2, 0x0005_0000
PR_SET_DUMPABLE = 4

# Rights to files in Landlock, and the version of Landlock in which they came.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_REG, REFER, TRUNCATE, IOCTL_DEV = 1 << 8, 1 << 13, 1 << 14, 1 << 15
FILE_RIGHTS = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: IOCTL_DEV}
# To bind and to connect by TCP.
NETWORK_RIGHTS = {4: 0b11}
# Keep abstract sockets and signals from reaching a process outside.
SCOPES = {6: 0b11}
# The rights that a rule for a file may have; all others are for folders.
RIGHTS_TO_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

RUN = EXECUTE | READ_FILE | READ_DIR
READ = READ_FILE | READ_DIR
# Without the rights to make links and pipes: the worker would follow a link and wait for a pipe. Also without those to
# remove and rename.
WRITE = READ_FILE | WRITE_FILE | TRUNCATE | MAKE_REG
# The folders of distributions for programs and libraries; none in which people keep their own files.
SYSTEM = (
    "/bin", "/lib", "/lib32", "/lib64", "/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec",
    "/usr/local/bin", "/usr/local/lib", "/usr/local/lib64", "/nix/store", "/gnu/store", "/etc/ld.so.cache",
)  # fmt: skip
DEVICES = {"/dev/null": READ_FILE | WRITE_FILE, "/dev/zero": READ_FILE, "/dev/urandom": READ_FILE}


class Demand(StrEnum):
    """What an operator demands: as much as this kernel has, all of it or no processing, or no sandbox."""

    BEST = "best"
    REQUIRED = "required"
    OFF = "off"


class SandboxMissing(PipelineError):
    code = "encoder_failed"
    permanent = False
    sentence = "This machine cannot close off the programs that read videos, which SANDBOX=required demands."


@dataclass(frozen=True)
class Means:
    """The means of this kernel: 0 or False for those it lacks, or that a container's runtime keeps back."""

    landlock: int  # version of the interface
    has_filter: bool  # of system calls

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
    """The launcher's orders: the program may be run, these files and folders read, and these folders filled."""
    call, machine = SECCOMP_CALL.get(platform.machine(), 0), platform.machine()
    return {
        "landlock": landlock_rules(program, reads, writes, means.landlock),
        "filter": filter_for(machine, may_start_programs=may_start_programs) if means.has_filter else [],
        "seccomp_call": call,
    }


def landlock_rules(program: str, reads: Iterable[Path], writes: Iterable[Path], version: int) -> dict[str, Any] | None:
    """The rights that Landlock of this version handles, and `rules` with those it allows beneath each path.

    None for version 0. A rule holds for the file that is at its path now, not for one that replaces it later.
    """
    if not version:
        return None
    handled = known_rights(FILE_RIGHTS, version)
    # An ffmpeg or a Python that is installed in a folder of its own has its libraries beside its `bin`.
    home = Path(program).resolve().parent.parent
    allowed: list[tuple[str | Path, int]] = [
        *((path, RUN) for path in (*SYSTEM, home / "lib", home / "lib64", program)),
        *DEVICES.items(),
        *((path, READ) for path in reads),
        *((path, WRITE) for path in writes),
    ]
    # The kernel refuses a rule with rights that it does not handle, or with a folder's rights for a file.
    present = [(Path(path), rights & handled) for path, rights in allowed if Path(path).exists()]
    rules = [(str(path.absolute()), rights if path.is_dir() else rights & RIGHTS_TO_A_FILE) for path, rights in present]
    return {
        "files": handled,
        "network": known_rights(NETWORK_RIGHTS, version),
        "scopes": known_rights(SCOPES, version),
        "rules": rules,
    }


def known_rights(by_version: dict[int, int], version: int) -> int:
    return sum(rights for since, rights in by_version.items() if since <= version)


def interpreter_files() -> list[Path]:
    """The files and folders that this Python reads when it starts, and its packages: for a program in Python."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return [Path(sys.prefix, "pyvenv.cfg"), *map(Path, sorted(folders))]


def keep_own_memory() -> None:
    """Keeps other programs of this user from reading this process's memory and environment, also without Landlock."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
