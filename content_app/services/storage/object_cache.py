"""A cache, in the memory of this process, of objects that never change."""

import threading
from collections import OrderedDict
from collections.abc import Callable


class ObjectCache:
    """Keeps the objects that were used last, together at most `max_bytes`. Threads may share it."""

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size_bytes = 0
        self.objects: OrderedDict[str, bytes] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: str, read: Callable[[str], bytes]) -> bytes:
        """Returns the object, from `read(key)` the first time. Raises what `read` raises, and then keeps nothing."""
        with self.lock:
            if key in self.objects:
                self.objects.move_to_end(key)
                return self.objects[key]
        # Outside the lock: two threads may read the same object, but none waits while another one's storage is slow.
        data = read(key)
        with self.lock:
            if key not in self.objects:
                self.objects[key] = data
                self.size_bytes += len(data)
            while self.size_bytes > self.max_bytes:
                _, oldest = self.objects.popitem(last=False)
                self.size_bytes -= len(oldest)
        return data
