"""The request and response bodies of the upload routes."""

import re
import uuid
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from content_app.access import may_change
from content_app.api.serializers import VideoFields, VideoSerializer
from content_app.models import MAX_FILE_NAME_LENGTH, Video
from content_app.queries import parse_ref
from content_app.services.uploads.direct_uploads import ANY_TYPE, last_problem
from content_app.states import State

PICTURES = ("image/jpeg", "image/png", "image/webp")
MEDIA_TYPE = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9.+-]{0,48}/[A-Za-z0-9][A-Za-z0-9.+-]{0,48}\Z")
PROCESSING_STATUS = {State.READY: "COMPLETED", State.ERROR: "FAILED"}
IN_PROGRESS = "IN_PROGRESS"


@extend_schema_field(OpenApiTypes.STR)
class VideoRef(serializers.Field[int | uuid.UUID, Any, str, Any]):
    """An id or a public id."""

    def to_internal_value(self, data: Any) -> int | uuid.UUID:
        ref = parse_ref(str(data)) if isinstance(data, str | int) else None
        if ref is None:
            raise serializers.ValidationError("This is not the id of a video.")
        return ref

    def to_representation(self, value: int | uuid.UUID) -> str:
        return str(value)


def chosen_of(*choices: str, **options: Any) -> serializers.ChoiceField:
    """Returns a ChoiceField whose error message lists the choices."""
    # DRF's own message repeats the input, which may be text that cannot be encoded (lone surrogates).
    return serializers.ChoiceField(
        choices=choices, error_messages={"invalid_choice": f"Use one of: {', '.join(choices)}."}, **options
    )


class AddressWanted(serializers.Serializer[None]):
    filename = serializers.CharField(
        max_length=MAX_FILE_NAME_LENGTH, required=False, default="", help_text="Its extension is checked."
    )
    content_type = serializers.RegexField(MEDIA_TYPE, required=False, default=ANY_TYPE)
    size = serializers.IntegerField(
        min_value=0,
        required=False,
        default=None,
        allow_null=True,
        help_text="In bytes. The file has to have exactly this size.",
    )
    video_id = VideoRef(required=False, default=None, allow_null=True, help_text="The video whose file it replaces.")


class ThumbnailWanted(serializers.Serializer[None]):
    associated_video_id = VideoRef()
    content_type = chosen_of(*PICTURES, required=False, default=PICTURES[0])


class PostForm(serializers.Serializer[None]):
    url = serializers.URLField()
    fields_ = serializers.DictField(child=serializers.CharField())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Shows `fields_` as `fields`, a name that serializers use themselves."""
        fields = super().get_fields()
        return {"url": fields["url"], "fields": fields["fields_"]}


class PutAddress(serializers.Serializer[dict[str, Any]]):
    url = serializers.URLField(help_text="For one PUT with the headers below.")
    method = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    post = PostForm(help_text="The same upload as a form, whose size the storage limits: these fields, then `file`.")
    media_id = serializers.UUIDField(help_text="The public id of the new video. Unused when a file is replaced.")
    key = serializers.CharField(help_text="The `video_s3_key` of the metadata.")
    max_bytes = serializers.IntegerField()
    expires_in_seconds = serializers.IntegerField()


class SignatureWanted(serializers.Serializer[None]):
    """The body that Uppy's S3 plug-in sends; `size` and `video_id` are additions of this API."""

    method = chosen_of("GET", "PUT", "POST", "DELETE")
    key = serializers.CharField(max_length=512)
    uploadId = serializers.CharField(max_length=1024, required=False, default="", allow_blank=True)  # noqa: N815 - Uppy's name
    partNumber = serializers.IntegerField(required=False, default=None, allow_null=True)  # noqa: N815 - Uppy's name
    contentType = serializers.RegexField(MEDIA_TYPE, required=False, default=ANY_TYPE)  # noqa: N815 - Uppy's name
    expiresIn = serializers.IntegerField(min_value=1, required=False, default=None, allow_null=True)  # noqa: N815 - Uppy's name
    size = serializers.IntegerField(min_value=0, required=False, default=None, allow_null=True)
    video_id = VideoRef(required=False, default=None, allow_null=True)


class SignedRequest(serializers.Serializer[None]):
    url = serializers.URLField()
    key = serializers.CharField(help_text="The key under which the file is stored; later requests name it.")
    media_id = serializers.UUIDField()
    fields_ = serializers.DictField(child=serializers.CharField(), required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Shows `fields_` as `fields`, a name that serializers use themselves."""
        fields = super().get_fields()
        return {("fields" if name == "fields_" else name): field for name, field in fields.items()}


class UploadKey(serializers.Serializer[None]):
    video_s3_key = serializers.CharField(max_length=200)


class Metadata(UploadKey, VideoFields):
    """The key of an upload, and the fields of its video."""


class UploadedVideo(VideoSerializer):
    """A video as the upload routes show it."""

    media_id = serializers.UUIDField(source="public_id")
    processing_status = serializers.SerializerMethodField()
    upload_problem = serializers.SerializerMethodField()

    class Meta(VideoSerializer.Meta):
        fields = (  # type: ignore[assignment]  # a longer tuple than the parent's
            *VideoSerializer.Meta.fields,
            *("media_id", "processing_status", "upload_problem"),
        )
        read_only_fields = fields  # type: ignore[assignment]  # the same

    def get_processing_status(self, video: Video) -> str:
        """IN_PROGRESS, COMPLETED or FAILED."""
        return PROCESSING_STATUS.get(State(video.state), IN_PROGRESS)

    def get_upload_problem(self, video: Video) -> str:
        """Why the last uploaded file was refused; for the owner and admins, and empty in lists."""
        is_shown = self.parent is None and may_change(self.context["person"], video)
        return last_problem(video=video) if is_shown else ""


class UploadedPage(serializers.Serializer[None]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = UploadedVideo(many=True)
