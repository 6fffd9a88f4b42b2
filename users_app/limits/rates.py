"""Rate limits: a number of requests in a sliding window, and the keys that senders are counted under.

The requests of the previous window count in proportion to its part that the sliding window still covers, so that a
client cannot send twice as many around the turn of a minute. Refused requests do not count.
"""

import math
import time
from ipaddress import IPv6Address, ip_address

from django.utils.crypto import salted_hmac

from users_app.limits.counters import CounterStore

IPV6_NETWORK_BITS = 64  # the network of a household or a virtual machine


def take_turn(store: CounterStore, key: str, limit: int, window_s: int) -> float:
    """Count a request; returns 0, or in how many seconds the client may try again."""
    now = time.time()
    index, elapsed_s = divmod(now, window_s)
    current = f"{key}:{int(index)}"
    count, before = store.hit(current, f"{key}:{int(index) - 1}", 2 * window_s)
    wait_s = seconds_to_wait(count, before, limit, elapsed_s, window_s)
    if wait_s:
        store.take_back(current)
    return wait_s


def seconds_to_wait(count: int, before: int, limit: int, elapsed_s: float, window_s: int) -> float:
    """Return 0 if `count` in this window and `before` in the previous one keep within `limit` in `window_s`."""
    if count + before * (1 - elapsed_s / window_s) <= limit:
        return 0
    if count > limit:
        # In the next window the `count - 1` requests that were not refused count less and less; the client may try
        # again once they count as `limit - 1`.
        return math.ceil(window_s - elapsed_s + window_s * (1 - (limit - 1) / (count - 1)))
    return max(1, math.ceil(window_s * (1 - (limit - count) / before) - elapsed_s))


def network_of(address: str) -> str:
    """Return the address that a sender is counted by, for IPv6 its network; "unknown" for a text that is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        # A client may send from any address of its network, and would have a counter of its own under each.
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS))
    return str(parsed)


def mark_of(email: str) -> str:
    """Return a keyed digest of an e-mail address for the key of a counter, so that nobody reads it in Redis."""
    return salted_hmac("users_app.http.throttles", email, algorithm="sha256").hexdigest()[:32]
