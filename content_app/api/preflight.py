"""The report on an uploaded file, before and after it is encoded; for its owner and admins."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.permissions import VIDEO_REF, changeable
from content_app.api.serializers import PreflightSerializer
from content_app.services.processing import preflight


class Preflight(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses=PreflightSerializer, tags=["videos"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Get the report on a file: what it contains, what is planned and why, the cost, and the ffmpeg command."""
        return Response(PreflightSerializer(preflight.shown_verdict(changeable(request, ref))).data)
