"""Whoever keeps guessing passwords waits, longer each time.

Guesses are counted by account and address together: the owner, who signs in from elsewhere, is not locked out by a
stranger. Many guesses of one address at different accounts are counted too, and many at one account from anywhere:
those delay no more than a minute, and nobody at a place where the account has a session.
Accounts that do not exist are counted like others, so that waiting tells nothing.
"""

import math
from dataclasses import dataclass

from background.refusals import Kind, Refusal
from users_app.clients import Client
from users_app.limits.counters import CounterStore, counters
from users_app.limits.rates import mark_of, network_of
from users_app.models import Session

MEMORY_S = 3600


@dataclass(frozen=True, slots=True)
class Patience:
    """After `free` failures each further one costs twice the wait of the one before."""

    free: int
    first_s: int
    longest_s: int

    def wait_s(self, failures: int) -> int:
        if failures < self.free:
            return 0
        doublings = min(failures - self.free, 20)
        return min(self.longest_s, self.first_s << doublings)


PAIR = Patience(free=5, first_s=15, longest_s=900)
ADDRESS = Patience(free=30, first_s=5, longest_s=60)
ACCOUNT = Patience(free=50, first_s=5, longest_s=60)


class TooManyAttempts(Refusal):
    kind = Kind.TOO_OFTEN
    sentence = "Too many wrong passwords. Wait a little, or choose a new one."
    code = "too_many_attempts"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody at an address who says to be somebody."""

    email: str
    client: Client

    def check(self) -> None:
        """Raises TooManyAttempts while it is not their turn."""
        wait_s = counters().ask(lambda store: store.held_s(*self._holds(PAIR)))
        if not wait_s:
            wait_s = counters().ask(lambda store: store.held_s(*self._holds(ADDRESS, ACCOUNT)))
            if wait_s and self._is_known_place():
                wait_s = 0
        if wait_s:
            raise TooManyAttempts(wait_s=math.ceil(wait_s))

    def note_failure(self) -> None:
        counters().ask(self._count)

    def note_success(self) -> None:
        """What was typed wrong before is forgiven, here and for this account."""
        pair = self._names[PAIR]
        counters().ask(lambda store: store.drop(pair, hold_of(pair)))

    def _count(self, store: CounterStore) -> None:
        for patience, name in self._names.items():
            if wait_s := patience.wait_s(store.add(name, MEMORY_S)):
                store.hold(hold_of(name), wait_s)

    def _holds(self, *patiences: Patience) -> list[str]:
        return [hold_of(self._names[patience]) for patience in patiences]

    @property
    def _names(self) -> dict[Patience, str]:
        account, address = mark_of(self.email), network_of(self.client.address or "")
        return {
            PAIR: f"wrong:pair:{account}:{address}",
            ADDRESS: f"wrong:address:{address}",
            ACCOUNT: account_name(self.email),
        }

    def _is_known_place(self) -> bool:
        """By the network, as failures are counted: an IPv6 address is another one tomorrow."""
        if self.client.address is None:
            return False
        here = network_of(self.client.address)
        places = Session.objects.filter(user__email=self.email).values_list("address", flat=True)
        return any(place and network_of(place) == here for place in places)


def forgive(email: str) -> None:
    """What was guessed at an account, once its owner has proved to have the mailbox."""
    name = account_name(email)
    counters().ask(lambda store: store.drop(name, hold_of(name)))


def account_name(email: str) -> str:
    return f"wrong:account:{mark_of(email)}"


def hold_of(name: str) -> str:
    return f"{name}:hold"
