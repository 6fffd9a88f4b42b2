"""The platform's routes, and baselines behind the same middleware, authentication and limits."""

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import urlpatterns as platform_urls
from content_app.api.film_answers import film_list


class Nothing(APIView):
    """Answers `{}`."""

    def get(self, request: Request) -> Response:
        return Response({})


class Constant(APIView):
    """Answers the list of the first user who asks, as it was then."""

    held: bytes | None = None

    def get(self, request: Request) -> HttpResponse:
        if self.held is None:
            answer = film_list(request)
            assert isinstance(answer, HttpResponse)
            Constant.held = answer.content
        return HttpResponse(self.held, content_type="application/json")


urlpatterns = [
    *platform_urls,
    path("api/v1/nothing/", Nothing.as_view()),
    path("api/v1/constant/", Constant.as_view()),
]
