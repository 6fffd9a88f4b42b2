"""What higher apps add to the login answer, to a user's export and to the deletion of an account.

Apps register theirs in AppConfig.ready().
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from users_app.models import User

ManyCollector = Callable[[Collection[User]], Mapping[int, Any]]
Collector = Callable[[User], Any]
Step = Callable[[User], None]


class Payload:
    """Named values of users, computed for many users at once: a list costs as many queries as a single user."""

    def __init__(self) -> None:
        self._collectors: dict[str, ManyCollector] = {}

    def register(self, name: str, collector: ManyCollector) -> None:
        """`collector` takes users and returns a value for each of them, by the user's id."""
        self._collectors[name] = collector

    def collect(self, user: User) -> dict[str, Any]:
        return self.collect_many([user])[user.pk]

    def collect_many(self, users: Collection[User]) -> dict[int, dict[str, Any]]:
        """Return the named values of each user, by the user's id."""
        values_by_name = {name: collector(users) for name, collector in self._collectors.items()}
        return {user.pk: {name: values[user.pk] for name, values in values_by_name.items()} for user in users}


class Export:
    """The named parts of what the platform keeps about a user."""

    def __init__(self) -> None:
        self._collectors: dict[str, Collector] = {}

    def register(self, name: str, collector: Collector) -> None:
        self._collectors[name] = collector

    def collect(self, user: User) -> dict[str, Any]:
        return {name: collector(user) for name, collector in self._collectors.items()}


class Erasure:
    """The steps that delete what higher apps keep about a user, in the transaction that deletes the account."""

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
