"""Routes that an identity provider has instead of this site, where it keeps the accounts."""

from rest_framework.request import Request
from rest_framework.views import APIView

from users_app.accounts_provider import accounts_provider
from users_app.identity.provider import ManagedElsewhere


def require_accounts_here() -> None:
    """Raise ManagedElsewhere where an identity provider keeps the accounts."""
    if not accounts_provider().keeps_accounts_here:
        raise ManagedElsewhere


class AccountsKeptHere(APIView):
    """Answers with ManagedElsewhere every client that may use the route."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        require_accounts_here()
