"""What higher apps add to what this one answers and does; they fill it in AppConfig.ready()."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from users_app.models import User

ManyProvider = Callable[[Collection[User]], Mapping[int, Any]]
Provider = Callable[[User], Any]
Step = Callable[[User], None]


class Payload:
    """Named values, computed for many persons at once: as many queries for a list of them as for one."""

    def __init__(self) -> None:
        self._providers: dict[str, ManyProvider] = {}

    def register(self, name: str, provider: ManyProvider) -> None:
        """`provider` answers by the ids of the persons."""
        self._providers[name] = provider

    def collect(self, user: User) -> dict[str, Any]:
        return self.collect_many([user])[user.pk]

    def collect_many(self, users: Collection[User]) -> dict[int, dict[str, Any]]:
        found = {name: provider(users) for name, provider in self._providers.items()}
        return {user.pk: {name: values[user.pk] for name, values in found.items()} for user in users}


class Export:
    """Named parts of what is kept about a person."""

    def __init__(self) -> None:
        self._providers: dict[str, Provider] = {}

    def register(self, name: str, provider: Provider) -> None:
        self._providers[name] = provider

    def collect(self, user: User) -> dict[str, Any]:
        return {name: provider(user) for name, provider in self._providers.items()}


class Erasure:
    """What else goes when a person leaves, in the transaction in which they do."""

    def __init__(self) -> None:
        self._steps: list[Step] = []

    def register(self, step: Step) -> None:
        self._steps.append(step)

    def run(self, user: User) -> None:
        for step in self._steps:
            step(user)


login_payload = Payload()
account_export = Export()
account_erasure = Erasure()
