"""What higher apps add to the login answer, to a user's export and to the deletion of an account.

Apps register theirs in AppConfig.ready().
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from users_app.models import User

ManyProvider = Callable[[Collection[User]], Mapping[int, Any]]
Provider = Callable[[User], Any]
Step = Callable[[User], None]


class Payload:
    """Named values of users, computed for many users at once: a list costs as many queries as a single user."""

    def __init__(self) -> None:
        self._providers: dict[str, ManyProvider] = {}

    def register(self, name: str, provider: ManyProvider) -> None:
        """`provider` takes users and returns a value for each of them, by the user's id."""
        self._providers[name] = provider

    def collect(self, user: User) -> dict[str, Any]:
        return self.collect_many([user])[user.pk]

    def collect_many(self, users: Collection[User]) -> dict[int, dict[str, Any]]:
        """Return the named values of each user, by the user's id."""
        values_by_name = {name: provider(users) for name, provider in self._providers.items()}
        return {user.pk: {name: values[user.pk] for name, values in values_by_name.items()} for user in users}


class Export:
    """The named parts of what the platform keeps about a user."""

    def __init__(self) -> None:
        self._providers: dict[str, Provider] = {}

    def register(self, name: str, provider: Provider) -> None:
        self._providers[name] = provider

    def collect(self, user: User) -> dict[str, Any]:
        return {name: provider(user) for name, provider in self._providers.items()}


class Erasure:
    """What else is deleted with an account, in the same transaction."""

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
