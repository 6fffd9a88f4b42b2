"""After several wrong passwords a client has to wait, longer each time.

Wrong passwords are counted for an account and a network address together, so that a stranger cannot lock out the owner,
who signs in from another address. They are also counted for an address with all accounts, and for an account with all
addresses: these two counts cause a wait of a minute at most, and none at an address where the account has a session.
Accounts that do not exist are counted as well, so that a wait does not tell whether there is an account.
"""

import math
from dataclasses import dataclass

from background.refusals import Kind, Refusal
from users_app.clients import Client
from users_app.limits.counters import CounterStore, counters
from users_app.limits.rates import mark_of, network_of
from users_app.models import Session

MEMORY_S = 3600  # wrong passwords and signatures are forgotten this long after the last one


@dataclass(frozen=True, slots=True)
class Backoff:
    """Failure number `free` causes a wait of `first_s`, each further one twice the wait before it, up to `max_s`."""

    free: int
    first_s: int
    max_s: int

    def wait_s(self, failures: int) -> int:
        if failures < self.free:
            return 0
        doublings = min(failures - self.free, 20)  # bounds the number; `max_s` is reached long before
        return min(self.max_s, self.first_s << doublings)


PAIR = Backoff(free=5, first_s=15, max_s=900)
ADDRESS = Backoff(free=30, first_s=5, max_s=60)
ACCOUNT = Backoff(free=50, first_s=5, max_s=60)


class TooManyAttempts(Refusal):
    kind = Kind.TOO_OFTEN
    sentence = "Too many wrong passwords. Please wait, or choose a new password by e-mail."
    code = "too_many_attempts"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A client that tries to prove by a password that it acts for the account with this e-mail address."""

    email: str
    client: Client

    def check(self) -> None:
        """Raise TooManyAttempts while the client has to wait."""
        keys = self._keys
        wait_s = counters().ask(lambda store: store.held_s(hold_of(keys[PAIR])))
        if not wait_s:
            wait_s = counters().ask(lambda store: store.held_s(hold_of(keys[ADDRESS]), hold_of(keys[ACCOUNT])))
            # What strangers have typed elsewhere, or a neighbour for other accounts, makes no owner wait at home.
            if wait_s and self._is_known_place():
                wait_s = 0
        if wait_s:
            raise TooManyAttempts(wait_s=math.ceil(wait_s))

    def note_failure(self) -> None:
        counters().ask(self._count)

    def note_success(self) -> None:
        """Forget the wrong passwords for this account from this address."""
        pair = self._keys[PAIR]
        counters().ask(lambda store: store.drop(pair, hold_of(pair)))

    def _count(self, store: CounterStore) -> None:
        for backoff, key in self._keys.items():
            if wait_s := backoff.wait_s(store.add(key, MEMORY_S)):
                store.hold(hold_of(key), wait_s)

    @property
    def _keys(self) -> dict[Backoff, str]:
        account, address = mark_of(self.email), network_of(self.client.address or "")
        return {
            PAIR: f"wrong:pair:{account}:{address}",
            ADDRESS: f"wrong:address:{address}",
            ACCOUNT: account_key(self.email),
        }

    def _is_known_place(self) -> bool:
        """True when the account has a session in the client's network."""
        # Compared by network_of, because an IPv6 address changes every day.
        if self.client.address is None:
            return False
        here = network_of(self.client.address)
        addresses = Session.objects.filter(user__email=self.email).values_list("address", flat=True)
        return any(address and network_of(address) == here for address in addresses)


def forgive(email: str) -> None:
    """Forget the wrong passwords for an account from anywhere, once its owner has proved to have the mailbox."""
    key = account_key(email)
    counters().ask(lambda store: store.drop(key, hold_of(key)))


def account_key(email: str) -> str:
    return f"wrong:account:{mark_of(email)}"


def hold_of(key: str) -> str:
    """Return the key that exists while clients counted under `key` have to wait."""
    return f"{key}:hold"
