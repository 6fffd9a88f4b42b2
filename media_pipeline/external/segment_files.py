"""Reads what many media segments hold, from wherever parts of them can be read: their indexes, not their media."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.segments import InitSegment, MediaSegment, read_segment
from media_pipeline.storage.store import Tick

ReadPart = Callable[[str, int, int], bytes]  # name, offset, length
PARALLEL = 16  # requests that carry little
TICK_S = 1.0
# The index of a segment with one fragment fits in. One with many is read on, in ever longer parts.
FIRST_PART_BYTES = 16 * 1024
MAX_PART_BYTES = 512 * 1024


class PartlyRead:
    """A file of which only the part around the place that is read is in memory."""

    def __init__(self, read_part: Callable[[int, int], bytes], size_bytes: int) -> None:
        self.read_part = read_part
        self.size_bytes = size_bytes
        self.position = 0
        self.part_at, self.part = 0, b""
        self.part_bytes = FIRST_PART_BYTES

    def seek(self, offset: int, /) -> int:
        self.position = offset
        return offset

    def read(self, size: int, /) -> bytes:
        size = min(size, self.size_bytes - self.position)
        if not self.part_at <= self.position <= self.position + size <= self.part_at + len(self.part):
            length = min(max(size, self.part_bytes), self.size_bytes - self.position)
            self.part_at, self.part = self.position, self.read_part(self.position, length)
            self.part_bytes = min(2 * self.part_bytes, MAX_PART_BYTES)
        first = self.position - self.part_at
        self.position += size
        return self.part[first : first + size]


def read_segments(
    wanted: Iterable[tuple[str, InitSegment]], sizes: Mapping[str, int], read_part: ReadPart, on_tick: Tick
) -> dict[str, MediaSegment | BadMp4]:
    """Of each name what it holds, or what is wrong with it. Raises what `read_part` and `on_tick` do."""

    def read_one(name: str, init: InitSegment) -> MediaSegment | BadMp4:
        file = PartlyRead(lambda offset, length: read_part(name, offset, length), sizes[name])
        try:
            return read_segment(file, sizes[name], init)
        except BadMp4 as error:
            return error

    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="segments") as pool:
        names: dict[Future[MediaSegment | BadMp4], str] = {}
        found: dict[str, MediaSegment | BadMp4] = {}
        try:
            names = {pool.submit(read_one, name, init): name for name, init in wanted}
            waiting = set(names)
            while waiting:
                done, waiting = wait(waiting, timeout=TICK_S, return_when=FIRST_EXCEPTION)
                found |= {names[one]: one.result() for one in done}
                on_tick()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found
