"""Turns in a window of time, and the names under which senders are counted.

The window slides: what was sent in the one before counts by the part of it that is still within the length of one, so
that nobody may send twice as much around the turn of a minute. What is refused does not count.
"""

import math
import time
from ipaddress import IPv6Address, ip_address

from django.utils.crypto import salted_hmac

from users_app.limits.counters import CounterStore

IPV6_NETWORK_BITS = 64  # what a household or a virtual machine has


def take_turn(store: CounterStore, key: str, most: int, window_s: int) -> float:
    """0, or in how many seconds it may be tried again."""
    now = time.time()
    index, elapsed_s = divmod(now, window_s)
    current = f"{key}:{int(index)}"
    count, before = store.hit(current, f"{key}:{int(index) - 1}", 2 * window_s)
    wait_s = seconds_to_wait(count, before, most, elapsed_s, window_s)
    if wait_s:
        store.take_back(current)
    return wait_s


def seconds_to_wait(count: int, before: int, most: int, elapsed_s: float, window_s: int) -> float:
    """0 if `count` in this window and `before` in the last one are not more than `most` in the last `window_s`."""
    if count + before * (1 - elapsed_s / window_s) <= most:
        return 0
    if count > most:
        # In the next window, once one of those that were not refused has slid out.
        return math.ceil(window_s - elapsed_s + window_s * (1 - (most - 1) / (count - 1)))
    return max(1, math.ceil(window_s * (1 - (most - count) / before) - elapsed_s))


def network_of(address: str) -> str:
    """An IPv6 network, of which anybody has more addresses than there are counters."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS))
    return str(parsed)


def mark_of(email: str) -> str:
    """An address as the name of a counter: not to be read in Redis."""
    return salted_hmac("users_app.http.throttles", email, algorithm="sha256").hexdigest()[:32]
