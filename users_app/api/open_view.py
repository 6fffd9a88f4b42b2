"""Views for everyone, signed in or not."""

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from users_app.http.authentication import TokenAuthentication


@method_decorator(never_cache, name="dispatch")
class OpenView(APIView):
    """Ignores tokens, so that an expired or broken access cookie does not hinder anyone."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        """Keep 401: without authentication classes DRF would make it 403."""
        return TokenAuthentication().authenticate_header(request)
