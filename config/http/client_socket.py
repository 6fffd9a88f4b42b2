"""The socket of one client, and how long the server waits for the client to send and to read bytes."""

import socket
import time
from dataclasses import dataclass, field

# The connection of a paused player, which reads nothing, ends after this time; the player requests the rest again.
SEND_S = 60.0


@dataclass
class Pace:
    """How long the server still waits for a client: `grace_s` at first and at most.

    Waiting uses the time up, and each received byte adds to it, so that on average `bytes_per_s` must arrive.
    """

    grace_s: float
    bytes_per_s: float
    left_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.left_s = self.grace_s

    def note(self, *, waited_s: float, received_bytes: int) -> None:
        self.left_s = min(self.left_s - waited_s + received_bytes / self.bytes_per_s, self.grace_s)


class ClientSocket(socket.socket):
    """A socket that raises TimeoutError when its client is too slow.

    `recv` raises it when the client falls behind its pace, and `send` when the client reads nothing for SEND_S. An
    application may shorten both by `settimeout`.
    """

    pace: Pace
    is_late = False  # True once `recv` has raised it

    def serve_from_a_thread(self) -> None:
        self.is_late = False
        self.settimeout(SEND_S)

    def recv(self, size: int, flags: int = 0) -> bytes:
        limit_s = self.gettimeout()
        if limit_s == 0:  # the main loop never waits, and keeps the pace itself
            return super().recv(size, flags)
        began_s = time.monotonic()
        try:
            if self.pace.left_s <= 0:
                raise TimeoutError
            self.settimeout(min(self.pace.left_s, SEND_S if limit_s is None else limit_s))
            data = super().recv(size, flags)
        except TimeoutError:
            self.is_late = True
            raise
        finally:
            self.settimeout(limit_s)
        self.pace.note(waited_s=time.monotonic() - began_s, received_bytes=len(data))
        return data

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]  # bytes are all that gunicorn sends
        """Sends block by block. Python's sendall has one time limit for all of it, too short for a slow line."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.send(rest, flags) :]
