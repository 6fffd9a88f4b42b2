"""Closes routes where an identity provider keeps the accounts, because it does their work instead of this site."""

from rest_framework.request import Request
from rest_framework.views import APIView

from users_app.accounts_provider import accounts_provider
from users_app.identity.provider import ManagedElsewhere


def require_accounts_here() -> None:
    """Raise ManagedElsewhere where an identity provider keeps the accounts."""
    if not accounts_provider().keeps_accounts_here:
        raise ManagedElsewhere


class AccountsKeptHere(APIView):
    """Answers with ManagedElsewhere where an identity provider keeps the accounts, once permissions are checked."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        require_accounts_here()
