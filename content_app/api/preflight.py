"""What is known of an uploaded file before it is encoded: for its owner and admins."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.permissions import changeable
from content_app.api.requests import VIDEO_REF
from content_app.api.serializers import PreflightSerializer
from content_app.services.processing import preflight


class Preflight(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses=PreflightSerializer, tags=["videos"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """What was found in the file, what is planned and why, what it will cost, and the command that encodes it."""
        return Response(PreflightSerializer(preflight.shown_verdict(changeable(request, ref))).data)
