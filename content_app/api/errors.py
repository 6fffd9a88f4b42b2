"""What the routes of this app answer beside DRF's own errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework import status
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError

from content_app.rules import OriginalRefused, PriceRefused
from content_app.services.additions.folders import NOT_READY, AdditionRefused
from content_app.services.catalogue.videos import NotAllowed
from content_app.services.uploads.direct_uploads import UploadRefused
from media_pipeline.errors import PipelineError


class NotReady(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "This video is still being processed; nothing of it can be played yet."
    default_code = "not_ready"


class CannotRetry(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "Only a video whose processing failed can be tried again."
    default_code = "cannot_retry"
    same_file = "The same file would fail in the same way: replace it by another one."


class ChangedBySomebody(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "The film was changed in between; nothing of this was saved."
    default_code = "changed_meanwhile"


class NoAccess(PermissionDenied):
    default_detail = "This video has to be bought before it can be watched."
    default_code = "no_access"


class UploadTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class MediaUnavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE


@contextmanager
def refused_originals() -> Iterator[None]:
    """A refused original or price is the client's error, with the code of the refusal."""
    try:
        yield
    except NotAllowed as refusal:
        raise PermissionDenied(refusal.sentence) from refusal
    except PriceRefused as refusal:
        raise ValidationError({"price": [refusal.sentence]}) from refusal
    except OriginalRefused as refusal:
        if refusal.code == "too_large":
            raise UploadTooLarge(refusal.sentence, refusal.code) from refusal
        raise ValidationError([refusal.sentence], refusal.code) from refusal


@contextmanager
def refused_additions() -> Iterator[None]:
    """The client's error likewise, unless there is nothing yet that something could be added to."""
    try:
        yield
    except AdditionRefused as refusal:
        if refusal.code == NOT_READY:
            raise NotReady(refusal.sentence) from refusal
        if refusal.code == "too_large":
            raise UploadTooLarge(refusal.sentence, refusal.code) from refusal
        raise ValidationError([refusal.sentence], refusal.code) from refusal


class UploadConflict(APIException):
    status_code = status.HTTP_409_CONFLICT


@contextmanager
def refused_uploads() -> Iterator[None]:
    try:
        yield
    except UploadRefused as refusal:
        if refusal.code == "too_large":
            raise UploadTooLarge(refusal.sentence, refusal.code) from refusal
        if refusal.code == "not_signable":
            raise ValidationError([refusal.sentence], refusal.code) from refusal
        raise UploadConflict(refusal.sentence, refusal.code) from refusal


@contextmanager
def unavailable_media() -> Iterator[None]:
    try:
        yield
    except PipelineError as error:
        raise MediaUnavailable(error.sentence, error.code) from error
