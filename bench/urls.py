"""The platform's routes, and one that answers `{}` behind the same middleware, authentication and limits."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import urlpatterns as platform_urls


class Nothing(APIView):
    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [*platform_urls, path("api/v1/nothing/", Nothing.as_view())]
