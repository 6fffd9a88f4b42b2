"""Captions of a video: users who may watch the video read them, users who may change it add and remove them."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.links import Links
from content_app.api.permissions import VIDEO_REF, changeable, watchable
from content_app.api.serializers import CaptionSerializer, CaptionUpload
from content_app.api.text_responses import AnyAccept, private_text
from content_app.models import Caption, Video
from content_app.queries import find_visible
from content_app.services.additions import captions
from content_app.services.playback import delivery
from media_pipeline import layout
from media_pipeline.sources.languages import canonical_tag
from users_app.http.signed_in import person_of

LANGUAGE = OpenApiParameter("language", str, OpenApiParameter.PATH, description="A BCP 47 tag, such as de or pt-BR.")
WEBVTT = layout.content_type(layout.captions_file("und"))


def captions_json(request: Request, video: Video, shown: Caption | list[Caption]) -> Any:
    context = {"links": Links(request), "video": video}
    return CaptionSerializer(shown, many=isinstance(shown, list), context=context).data


class CaptionList(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses=CaptionSerializer(many=True), tags=["captions"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """List the captions of a video; the master playlist names the same ones."""
        video = find_visible(person_of(request), ref)
        return Response(captions_json(request, video, list(captions.list_captions(video=video))))


class Captions(APIView):
    content_negotiation_class = AnyAccept
    parser_classes = (MultiPartParser,)

    @extend_schema(parameters=[VIDEO_REF, LANGUAGE], responses={(200, WEBVTT): OpenApiTypes.STR}, tags=["captions"])
    def get(self, request: Request, ref: int | uuid.UUID, language: str) -> HttpResponse:
        """Get the captions in one language, as WebVTT."""
        video = watchable(request, ref)
        caption = get_object_or_404(captions.list_captions(video=video), language=canonical_tag(language))
        return private_text(delivery.captions_text(video, caption), WEBVTT)

    @extend_schema(
        parameters=[VIDEO_REF, LANGUAGE],
        request={"multipart/form-data": CaptionUpload},
        responses={201: CaptionSerializer},
        tags=["captions"],
    )
    def post(self, request: Request, ref: int | uuid.UUID, language: str) -> Response:
        """Upload captions (WebVTT or SubRip); they replace the captions in the same language."""
        video = changeable(request, ref)
        form = CaptionUpload(data=request.data)
        form.is_valid(raise_exception=True)
        label = form.validated_data.get("label", "")
        text = captions.read_upload(form.validated_data["file"])
        caption = captions.add_captions(video_id=video.pk, language=language, label=label, text=text)
        return Response(captions_json(request, video, caption), status.HTTP_201_CREATED)

    @extend_schema(parameters=[VIDEO_REF, LANGUAGE], responses={204: None}, tags=["captions"])
    def delete(self, request: Request, ref: int | uuid.UUID, language: str) -> Response:
        """Remove the captions in one language. Captions from the film's own file return when it is processed again."""
        captions.remove_captions(video_id=changeable(request, ref).pk, language=language)
        return Response(status=status.HTTP_204_NO_CONTENT)
