"""Reads the indexes of many media segments, not their media, from a storage that gives parts of files."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.segments import InitSegment, MediaSegment, read_segment
from media_pipeline.storage.store import Tick

ReadPart = Callable[[str, int, int], bytes]  # name, offset, length
# Requests at once: each carries little, and waits for the storage most of the time.
PARALLEL = 16
TICK_S = 1.0
# The index of a segment with one fragment fits into the first part. The index of one with many fragments takes further
# parts, each longer than the last.
FIRST_PART_BYTES = 16 * 1024
MAX_PART_BYTES = 512 * 1024


class PartlyRead:
    """A file of which one part is in memory, the one that was read last."""

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
    segments: Iterable[tuple[str, InitSegment]], sizes: Mapping[str, int], read_part: ReadPart, on_tick: Tick
) -> dict[str, MediaSegment | BadMp4]:
    """By name, each segment or the error that says why the file is none. Raises what the callbacks raise."""

    def read_one(name: str, init: InitSegment) -> MediaSegment | BadMp4:
        file = PartlyRead(lambda offset, length: read_part(name, offset, length), sizes[name])
        try:
            return read_segment(file, sizes[name], init)
        except BadMp4 as error:
            return error

    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="segments") as pool:
        names: dict[Future[MediaSegment | BadMp4], str] = {}
        results: dict[str, MediaSegment | BadMp4] = {}
        try:
            names = {pool.submit(read_one, name, init): name for name, init in segments}
            waiting = set(names)
            while waiting:
                done, waiting = wait(waiting, timeout=TICK_S, return_when=FIRST_EXCEPTION)
                results |= {names[one]: one.result() for one in done}
                on_tick()
        except BaseException:
            # Else leaving the pool would wait for thousands of requests.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results
