"""Starts programs, prints their output, restarts those that die, and in the end stops all of them."""

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from local.console import print_line, printable, say
from local.linux import adopt_orphans, descendants, end_with_parent
from local.programs import Child, Program, Timing, describe_end, kill_all, kill_trees, next_ended

TICK_S = 0.05
IDLE_TICK_S = 0.5
BLOCK = 64 * 1024
ECHO_S = 1.0
USUAL_TIMING = Timing()


class Stopped(Exception):
    """Ctrl-C, SIGTERM or a closed terminal."""


def on_signals(numbers: Iterable[signal.Signals], handler: Callable[..., None]) -> None:
    for number in numbers:
        # Under nohup SIGHUP is ignored, and stays so.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


class Supervisor:
    """Single-threaded on purpose: children get their death signal when the thread that started them ends."""

    def __init__(self, env: Mapping[str, str], folder: Path, timing: Timing = USUAL_TIMING) -> None:
        self.env = env
        self.folder = folder
        self.timing = timing
        self.children: list[Child] = []
        self.is_stopping = False
        self.signals = 0
        self.signalled_at = float("-inf")
        self.selector = selectors.DefaultSelector()
        self.wakeup, self.waker = socket.socketpair()
        adopt_orphans()
        self.listen_to_signals()

    def listen_to_signals(self) -> None:
        for end in (self.wakeup, self.waker):
            end.setblocking(False)
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        self.selector.register(self.wakeup, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only a signal with a handler wakes the loop
        on_signals((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), self.note_signal)

    def note_signal(self, *_: object) -> None:
        """Counts a signal. make sends SIGTERM to a group that already got it, so two within a second count as one."""
        now = time.monotonic()
        self.signals += now - self.signalled_at > ECHO_S
        self.signalled_at = now

    # --- lives and deaths ---

    def start(self, program: Program) -> Child:
        child = Child(program)
        self.children.append(child)
        self.spawn(child)
        return child

    def spawn(self, child: Child) -> None:
        parent, death_signal = os.getpid(), child.program.death_signal
        child.started_at, child.due_at, child.returncode = time.monotonic(), None, None
        try:
            child.process = subprocess.Popen(
                child.program.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.folder,
                # Ctrl-C must reach only the supervisor, which ends its children in order.
                start_new_session=True,
                preexec_fn=lambda: end_with_parent(parent, death_signal),
            )
        except OSError as error:
            self.plan_restart(child, f"cannot be started ({error.strerror})")
            return
        assert child.process.stdout
        os.set_blocking(child.process.stdout.fileno(), False)
        self.selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def bury_the_dead(self) -> None:
        """Collects children that have ended, and orphans that became children of this process."""
        while ended := next_ended():
            pid, returncode = ended
            for child in self.children:
                if child.process and child.process.pid == pid:
                    self.bury(child, child.process, returncode)

    def bury(self, child: Child, process: subprocess.Popen[bytes], returncode: int) -> None:
        process.returncode = child.returncode = returncode  # subprocess cannot find it: waitpid has collected it
        child.process = None
        # The processes that the child left behind are children of this process now, and one of them may hold the port.
        known = frozenset(other.process.pid for other in self.children if other.process)
        kill_all(descendants(os.getpid(), except_below=known))
        self.read(child, process)
        self.forget_pipe(process)
        assert process.stdout
        process.stdout.close()
        if not child.program.is_once and not self.is_stopping:
            self.plan_restart(child, describe_end(returncode))

    def plan_restart(self, child: Child, reason: str) -> None:
        child.plan_restart(self.timing)
        say(f"{child.program.name} {reason}; it starts again in {child.delay_s:g} s.")

    def restart_due(self) -> None:
        for child in self.children:
            if child.due_at is not None and child.due_at <= time.monotonic() and not self.is_stopping:
                self.spawn(child)

    # --- what they print ---

    def read(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        """Passes on the complete lines, and the rest once the pipe has ended."""
        assert process.stdout
        data = b"more"
        while data:
            try:
                data = os.read(process.stdout.fileno(), BLOCK)
            except BlockingIOError:
                return
            *lines, child.unread = (child.unread + data).split(b"\n")
            if not data or len(child.unread) > BLOCK:
                lines, child.unread = [*lines, *filter(None, [child.unread])], b""
            for line in lines:
                text = printable(line.decode(errors="replace"))
                if child.program.on_line:
                    child.program.on_line(text)
                else:
                    print_line(child.program.name, text)
        self.forget_pipe(process)

    def forget_pipe(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        with suppress(KeyError):
            self.selector.unregister(process.stdout)

    # --- the loop ---

    def run_until(self, is_done: Callable[[], bool], *, limit_s: float = float("inf"), tick_s: float = TICK_S) -> bool:
        """Attends to all children until `is_done`; False when the limit comes first. Raises Stopped."""
        deadline = time.monotonic() + limit_s
        while not is_done():
            if self.signals:
                raise Stopped
            if time.monotonic() > deadline:
                return False
            self.attend(tick_s)
        return True

    def run(self) -> None:
        """Attends to all children until it raises Stopped."""
        self.run_until(lambda: False, tick_s=IDLE_TICK_S)

    def attend(self, wait_s: float) -> None:
        for key, _ in self.selector.select(wait_s):
            child = key.data
            if child is None:
                with suppress(BlockingIOError):
                    self.wakeup.recv(BLOCK)
            elif child.process:
                self.read(child, child.process)
        self.bury_the_dead()
        self.restart_due()

    # --- the end ---

    def stop(self, *, last: Iterable[Child] = ()) -> None:
        """Ends all children: first the others, then `last`, which the others need in order to end cleanly."""
        self.is_stopping = True
        signals, kept = self.signals, list(last)
        self.end([child for child in self.children if child not in kept], signals)
        self.end(kept, signals)
        while orphans := descendants(os.getpid()):
            kill_all(orphans)
            self.attend(TICK_S)

    def end(self, children: Sequence[Child], signals: int) -> None:
        """Asks the children to end at the times that their programs name, and kills those that outlast the patience.

        `signals`: how many had come when the stop began.
        """
        began = time.monotonic()
        asks = [(at_s, child) for child in children for at_s in child.program.asked_at_s]
        asks.sort(key=lambda ask: ask[0])
        while any(child.process for child in children):
            waited_s = time.monotonic() - began
            while asks and asks[0][0] <= waited_s:
                asks.pop(0)[1].ask_to_end()
            # A second Ctrl-C ends the wait.
            if waited_s > self.timing.patience_s or self.signals > signals:
                kill_trees(children)
            self.attend(TICK_S)
