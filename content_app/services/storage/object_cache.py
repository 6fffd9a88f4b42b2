"""Objects that never change, in the memory of this process."""

import threading
from collections import OrderedDict
from collections.abc import Callable


class ObjectCache:
    """Those that were used last, as long as all of them together have at most `most_bytes`. Safe for threads."""

    def __init__(self, *, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.size_bytes = 0
        self.objects: OrderedDict[str, bytes] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: str, read: Callable[[str], bytes]) -> bytes:
        """Raises what `read` does, and then keeps nothing."""
        with self.lock:
            if key in self.objects:
                self.objects.move_to_end(key)
                return self.objects[key]
        data = read(key)  # two threads may do so at once; none waits for another one's bucket
        with self.lock:
            if key not in self.objects:
                self.objects[key] = data
                self.size_bytes += len(data)
            while self.size_bytes > self.most_bytes:
                _, oldest = self.objects.popitem(last=False)
                self.size_bytes -= len(oldest)
        return data
