"""Linux calls that keep track of child processes, so that none is left behind."""

import ctypes
import os
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# Loaded once, before any fork: a child between fork and exec must not load libraries.
libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int, signal_number: int) -> None:
    """Called in the child: the kernel will send this signal when the thread that started it ends, even by kill -9."""
    libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    # The parent may have ended before this call; then the kernel would never send the signal.
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Makes orphans below this process its children, so that it finds even those that left its session."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, int]:
    """The parent of each running process, by pid."""
    parent_of = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it has just ended
            # The name in brackets may hold anything, brackets and spaces included.
            parent_of[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    return parent_of


def descendants(ancestor: int, *, except_below: frozenset[int] = frozenset()) -> set[int]:
    """All processes below this one, without those in `except_below` and the processes below them."""
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
