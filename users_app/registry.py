"""What higher apps add to what this one answers; they fill it in AppConfig.ready()."""

from collections.abc import Callable
from typing import Any

from users_app.models import User

Provider = Callable[[User], Any]


class Registry:
    """Named values, computed per person."""

    def __init__(self) -> None:
        self._providers: dict[str, Provider] = {}

    def register(self, name: str, provider: Provider) -> None:
        self._providers[name] = provider

    def collect(self, user: User) -> dict[str, Any]:
        return {name: provider(user) for name, provider in self._providers.items()}


login_payload = Registry()
