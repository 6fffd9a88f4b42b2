"""What Linux offers so that no process is left behind."""

import ctypes
import os
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# Loaded once, before any fork: a child between fork and exec must not load libraries.
libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int, signal_number: int) -> None:
    """Called in the child: get this signal when the thread that started this process ends, even by kill -9."""
    libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    # The parent may have ended before the request was made; then nobody would ever end this process.
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Processes whose parent dies below this one become its children: what left its session can still be found."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, int]:
    """The parent of every process that runs now."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it ended while we looked
            # The name in brackets may hold anything, brackets and spaces included.
            found[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def descendants(ancestor: int, *, except_below: frozenset[int] = frozenset()) -> set[int]:
    """All processes below this one; without those in `except_below` and what is below them."""
    children: dict[int, set[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, set()).add(pid)
    found: set[int] = set()
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), set()) - except_below - found
        found |= below
        waiting.extend(below)
    return found
