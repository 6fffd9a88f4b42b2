"""What was made of a film's files; for its owner and admins."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.permissions import VIDEO_REF, changeable
from content_app.models import Run
from content_app.services.processing.history import found_text, last_runs
from content_app.states import RunState


class PastRun(serializers.Serializer[Any]):
    """One making of one file. Texts are for people."""

    file = serializers.CharField(source="name", help_text="The file's name.")
    state = serializers.ChoiceField(choices=RunState.choices)
    label = serializers.CharField(  # type: ignore[assignment]  # named like Field.label
        source="get_state_display", help_text="The state as a phrase."
    )
    queued_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="null while it waits or runs.")
    attempts = serializers.IntegerField(help_text="How often a worker began it.")
    found = serializers.SerializerMethodField()
    took_s = serializers.SerializerMethodField()
    code = serializers.CharField(
        source="error_code", help_text="Why there is no version, as in processing_error_code; else empty."
    )
    sentence = serializers.CharField(source="error_message")

    def get_found(self, run: Run) -> str:
        """What is in the file; empty while nothing is known of it."""
        return found_text(run)

    def get_took_s(self, run: Run) -> float | None:
        """Seconds of work; null without a version."""
        return run.work_s or None


class Runs(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses=PastRun(many=True), tags=["videos"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """List the last ten runs of a video, newest first: what each found in its file, what it took, why it failed."""
        return Response(PastRun(last_runs(changeable(request, ref)), many=True).data)
