"""Caches, in the memory of this process, of what never changes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class RecentlyUsed(Generic[Key, Value]):
    """Keeps the values that were used last, together at most `max_bytes`. Threads may share it."""

    def __init__(self, *, max_bytes: int, size_of: Callable[[Value], int]) -> None:
        self.max_bytes = max_bytes
        self.size_of = size_of
        self.size_bytes = 0
        self.values: OrderedDict[Key, Value] = OrderedDict()
        self.lock = threading.Lock()

    def get_many(self, keys: Sequence[Key]) -> list[Value | None]:
        """Returns the value under each key, None where none is kept."""
        with self.lock:
            values = [self.values.get(key) for key in keys]
            for key, value in zip(keys, values, strict=True):
                if value is not None:
                    self.values.move_to_end(key)
        return values

    def put_many(self, values: Mapping[Key, Value]) -> None:
        with self.lock:
            for key, value in values.items():
                if key not in self.values:
                    self.values[key] = value
                    self.size_bytes += self.size_of(value)
            while self.size_bytes > self.max_bytes:
                _, oldest = self.values.popitem(last=False)
                self.size_bytes -= self.size_of(oldest)


class ObjectCache(RecentlyUsed[str, bytes]):
    """Keeps objects of the storage by their keys."""

    def __init__(self, *, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes, size_of=len)

    def get(self, key: str, read: Callable[[str], bytes]) -> bytes:
        """Returns the object, from `read(key)` the first time. Raises what `read` raises, and then keeps nothing."""
        (data,) = self.get_many([key])
        if data is None:
            # Outside the lock: two threads may read one object, but none waits while another one's storage is slow.
            data = read(key)
            self.put_many({key: data})
        return data
