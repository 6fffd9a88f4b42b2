"""Routes about passwords, addresses and sessions, where an identity provider keeps the accounts."""

from rest_framework.request import Request
from rest_framework.views import APIView

from users_app.accounts_provider import accounts_provider
from users_app.identity.provider import ManagedElsewhere


def require_accounts_here() -> None:
    """Raises ManagedElsewhere."""
    if not accounts_provider().keeps_accounts_here:
        raise ManagedElsewhere


class KeptHere(APIView):
    """Says so to everybody who may use the route at all."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        require_accounts_here()
