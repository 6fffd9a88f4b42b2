"""API errors of this app, beside DRF's own and the refusals of services."""

from rest_framework import status
from rest_framework.exceptions import APIException, PermissionDenied


class NotReady(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "This video is still being processed; nothing of it can be played yet."
    default_code = "not_ready"


class CannotRetry(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "Only a video whose processing failed can be tried again."
    default_code = "cannot_retry"
    same_file = "The same file would fail in the same way: replace it by another one."


class NoAccess(PermissionDenied):
    default_detail = "This video has to be bought before it can be watched."
    default_code = "no_access"
