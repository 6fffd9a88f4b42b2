"""The request and response bodies of the API, except those of the upload routes (uploads.serializers)."""

import uuid
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from content_app.access import may_change, may_watch
from content_app.api.links import Links
from content_app.input_rules import price_problem, with_plain_line_ends
from content_app.models import MAX_LABEL_LENGTH, MAX_TITLE_LENGTH, Caption, Category, Video
from content_app.queries import categories_named, parse_ref, published_renditions
from content_app.services.processing.forecast import Forecast, Outlook
from content_app.states import API_STATUS, State, Visibility


class CategorySerializer(serializers.ModelSerializer[Category]):
    class Meta:
        model = Category
        fields = ("id", "name", "slug")


class LastRefusal(serializers.Serializer[None]):
    """The last new file, or attempt to process the video again, that was refused. The video was not changed."""

    file = serializers.CharField(help_text="The file's name; empty when the same file was processed again.")
    code = serializers.CharField()
    sentence = serializers.CharField()
    at = serializers.DateTimeField()


# The fields of a video in the order of its JSON: first those that stay the same until the row changes.
OF_THE_FILM = (
    *("id", "public_id", "title", "description", "category", "created_at", "updated_at"),
    *("duration", "visibility", "is_featured"),
    *("is_paid", "price", "currency", "owner"),
    *("video_file", "converted_files", "hls_url", "dash_url", "storyboard_url"),
    *("processing_state", "processing_error", "processing_error_code", "is_playable", "status"),
)
PICTURES = ("image_file", "image_url", "image_small")  # signed, and thus expiring, unless the video is public
OF_THE_RUN = ("processing_progress", "processing_time_left", "processing_place")  # change while it is being made
OF_THE_PERSON = ("processing_took", "can_retry", "last_refusal", "has_access")  # for changers, others, or who may watch


class VideoSerializer(serializers.ModelSerializer[Video]):
    """A video. Its media addresses are API routes, never signed addresses, so that clients may cache it."""

    category = serializers.CharField(source="category.name", default=None, allow_null=True)
    duration = serializers.SerializerMethodField()
    image_file = serializers.SerializerMethodField()
    image_url = serializers.SerializerMethodField(method_name="get_image_file")
    image_small = serializers.SerializerMethodField()
    video_file = serializers.SerializerMethodField()
    converted_files = serializers.SerializerMethodField()
    hls_url = serializers.SerializerMethodField()
    dash_url = serializers.SerializerMethodField()
    storyboard_url = serializers.SerializerMethodField()
    processing_state = serializers.SerializerMethodField()
    processing_progress = serializers.SerializerMethodField()
    processing_time_left = serializers.SerializerMethodField()
    processing_place = serializers.SerializerMethodField()
    processing_took = serializers.SerializerMethodField()
    processing_error = serializers.SerializerMethodField()
    processing_error_code = serializers.SerializerMethodField()
    can_retry = serializers.SerializerMethodField()
    last_refusal = serializers.SerializerMethodField()
    is_playable = serializers.BooleanField()
    has_access = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()

    class Meta:
        model = Video
        fields = (*OF_THE_FILM, *PICTURES, *OF_THE_RUN, *OF_THE_PERSON)
        read_only_fields = fields

    @property
    def links(self) -> Links:
        links: Links = self.context["links"]
        return links

    def get_duration(self, video: Video) -> float | None:
        """Seconds."""
        return video.version.duration_s if video.version else None

    def get_image_file(self, video: Video) -> str | None:
        return self.links.poster(video)

    def get_image_small(self, video: Video) -> str | None:
        """The poster for cards, 640 pixels on its long side; the large poster for videos of older releases."""
        return self.links.small_poster(video)

    def get_video_file(self, video: Video) -> str | None:
        """The MP4 with the best quality."""
        renditions = published_renditions(video)
        return self.links.rendition(video, renditions[-1].name) if renditions else None

    def get_converted_files(self, video: Video) -> dict[str, str]:
        return {one.name: self.links.rendition(video, one.name) for one in published_renditions(video)}

    def get_hls_url(self, video: Video) -> str | None:
        return self.links.stream(video) if video.is_playable else None

    def get_dash_url(self, video: Video) -> str | None:
        """The DASH manifest; only for films that an external transcoder made as DASH."""
        return self.links.manifest(video)

    def get_storyboard_url(self, video: Video) -> str | None:
        """WebVTT for the seek bar; null for versions that were made by older releases."""
        return self.links.storyboard(video)

    def get_processing_state(self, video: Video) -> str:
        return State.PENDING if video.state == State.UPLOADING else video.state

    def get_processing_progress(self, video: Video) -> int:
        """Percent."""
        return video.run.progress if video.run else 0

    def get_processing_time_left(self, video: Video) -> int | None:
        """The estimated seconds until the video is ready, while it waits or is processed."""
        return self.outlook(video).time_left_s

    def get_processing_place(self, video: Video) -> int | None:
        """The place in the queue while the video waits for a worker; 1 is next."""
        return self.outlook(video).place

    def get_processing_took(self, video: Video) -> int | None:
        """How many seconds it took to make the version that plays; for the owner and admins."""
        work_s = video.run.work_s if video.run and video.state == State.READY else 0
        return max(1, round(work_s)) if work_s and self.is_changeable(video) else None

    def get_processing_error(self, video: Video) -> str:
        return video.run.error_message if video.run else ""

    def get_processing_error_code(self, video: Video) -> str:
        return video.run.error_code if video.run else ""

    def get_can_retry(self, video: Video) -> bool:
        """Whether processing failed, and another attempt with the same file may help; for the owner and admins."""
        return video.can_retry and self.is_changeable(video)

    @extend_schema_field(LastRefusal(allow_null=True))
    def get_last_refusal(self, video: Video) -> dict[str, Any] | None:
        """Why the last new file, or the last attempt to process the video again, was refused; for owner and admins."""
        failed = video.refusal
        if failed is None or not self.is_changeable(video):
            return None
        return {
            "file": video.refused_file,
            "code": failed.error_code,
            "sentence": failed.error_message,
            "at": failed.ended_at,
        }

    def outlook(self, video: Video) -> Outlook:
        forecast: Forecast = self.context["forecast"]
        return forecast.of(video)

    def is_changeable(self, video: Video) -> bool:
        return may_change(self.context["person"], video)

    def get_has_access(self, video: Video) -> bool:
        return may_watch(self.context["person"], video)

    def get_status(self, video: Video) -> str:
        return API_STATUS[State(video.state)]


class VideoPage(serializers.Serializer[None]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = VideoSerializer(many=True)


class VideoFields(serializers.Serializer[Video]):
    """The fields of a video that its owner may set, both for new and for existing videos."""

    title = serializers.CharField(max_length=MAX_TITLE_LENGTH)
    description = serializers.CharField(max_length=5000, required=False, allow_blank=True)
    category = serializers.CharField(
        max_length=60, required=False, allow_blank=True, allow_null=True, help_text="Name, slug or id; empty for none."
    )
    visibility = serializers.ChoiceField(
        choices=Visibility.choices,
        required=False,
        # DRF's own message repeats the input, which may be text that cannot be encoded (lone surrogates).
        error_messages={"invalid_choice": "Use PUBLIC, UNLISTED or PRIVATE."},
    )
    is_paid = serializers.BooleanField(required=False)
    price = serializers.DecimalField(max_digits=8, decimal_places=2, required=False)
    currency = serializers.CharField(
        required=False, validators=[RegexValidator(r"\A[A-Za-z]{3}\Z", "Use three letters, for example EUR.")]
    )

    def validate_category(self, value: str | None) -> Category | None:
        if not value:
            return None
        category = categories_named(value).first()
        if category is None:
            raise serializers.ValidationError("There is no such category.")
        return category

    def validate_description(self, value: str) -> str:
        return with_plain_line_ends(value)

    def validate_currency(self, value: str) -> str:
        return value.upper()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # A field that is not sent keeps its value, or gets the default of a new video.
        before = self.instance or Video()
        problem = price_problem(is_paid=attrs.get("is_paid", before.is_paid), price=attrs.get("price", before.price))
        if problem:
            raise serializers.ValidationError({"price": [problem]})
        return attrs


class VideoUpload(VideoFields):
    """The fields of a video as a form, which may include its file."""

    file = serializers.FileField(allow_empty_file=True, required=False, write_only=True)


class CatalogueFilter(serializers.Serializer[None]):
    """The query string of a list."""

    category = serializers.CharField(required=False, allow_blank=True, max_length=60, help_text="Name, slug or id.")
    search = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Words that title or description must contain."
    )
    favorites = serializers.BooleanField(required=False, help_text="1: only your favourites.")
    underway = serializers.BooleanField(required=False, help_text="1: only videos that are still being processed.")


class RenditionChoice(serializers.Serializer[None]):
    """The query string that asks for a quality."""

    quality = serializers.RegexField(
        r"\A[0-9]{1,5}p\Z", required=False, help_text="For example 720p; the best one when left out."
    )

    def short_side(self) -> int | None:
        quality = self.validated_data.get("quality")
        return int(quality.removesuffix("p")) if quality else None


class FavoriteToggle(serializers.Serializer[None]):
    video_id = serializers.CharField(max_length=36, help_text="The id or the public id.")

    def validate_video_id(self, value: str) -> int | uuid.UUID:
        ref = parse_ref(value)
        if ref is None:
            raise serializers.ValidationError("This is not the id of a video.")
        return ref


class CaptionSerializer(serializers.ModelSerializer[Caption]):
    url = serializers.SerializerMethodField()

    class Meta:
        model = Caption
        fields = ("language", "label", "is_uploaded", "url")

    def get_url(self, caption: Caption) -> str:
        links: Links = self.context["links"]
        return links.captions(self.context["video"], caption.language)


class CaptionUpload(serializers.Serializer[None]):
    file = serializers.FileField(allow_empty_file=True, write_only=True, help_text="WebVTT or SubRip, at most 2 MB.")
    label = serializers.CharField(  # type: ignore[assignment]  # named like Field.label
        required=False,
        allow_blank=True,
        max_length=MAX_LABEL_LENGTH,
        help_text="The text in the player's menu; by default the name of the language.",
    )


class PosterCandidate(serializers.Serializer[None]):
    number = serializers.IntegerField(help_text="1 is the best.")
    url = serializers.URLField(help_text="Signed; expires after some hours.")
    small_url = serializers.URLField(help_text="A smaller picture for lists; the large one when there is no other.")
    is_current = serializers.BooleanField()


class PosterChoices(serializers.Serializer[None]):
    current = serializers.URLField(allow_null=True)
    current_small = serializers.URLField(allow_null=True)
    is_uploaded = serializers.BooleanField(help_text="Whether the poster is an uploaded picture, not a candidate.")
    candidates = PosterCandidate(many=True)


class PosterNumber(serializers.Serializer[None]):
    candidate = serializers.IntegerField(min_value=1, max_value=1000)


class PosterUpload(serializers.Serializer[None]):
    file = serializers.FileField(
        allow_empty_file=True, write_only=True, help_text="JPEG, PNG or WebP; at most 15 MB and 64 megapixels."
    )


class CostSerializer(serializers.Serializer[None]):
    seconds = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="The expected size.")
    most_bytes = serializers.IntegerField(help_text="The largest size that the peak bit rates allow.")
    basis = serializers.CharField(help_text="What the estimate is based on, as a sentence.")


class PreflightSerializer(serializers.Serializer[dict[str, Any]]):
    """The report on a file. Texts are sentences for people, in plain text."""

    verdict = serializers.ChoiceField(choices=("waiting", "fine", "warnings", "refused"))
    code = serializers.CharField(help_text="The reason of a refusal, as in processing_error_code; else empty.")
    sentence = serializers.CharField()
    found = serializers.DictField(
        help_text="Facts about the file; `lines` says the same for people, as `label` and `text`. Empty while waiting."
    )
    planned = serializers.DictField(help_text="The encode plan, in the same form; empty when nothing is planned.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="The reasons for the plan.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="What the uploader should know.")
    cost = CostSerializer(allow_null=True)
    command = serializers.ListField(child=serializers.CharField(), help_text="`source` and `work` stand for paths.")


class MediaAddress(serializers.Serializer[None]):
    url = serializers.URLField(help_text="Signed; expires after some hours.")
