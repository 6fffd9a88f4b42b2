"""What clients are told when a user pool does not answer, or asks for more than this site can give."""

from rest_framework import status
from rest_framework.exceptions import APIException, Throttled

RETRY_AFTER_S = 5


class PoolUnavailable(APIException):
    """Nobody's fault who signs in: the pool cannot be reached, or it and this site are not set up for each other."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The identity provider cannot be reached at the moment. Please try again shortly."
    default_code = "identity_provider_unavailable"
    wait = RETRY_AFTER_S  # what DRF tells in Retry-After


class PoolBusy(Throttled):
    default_detail = "The identity provider takes no more requests at the moment."
    default_code = "identity_provider_busy"
    extra_detail_singular = "Try again in {wait} second."
    extra_detail_plural = "Try again in {wait} seconds."


class AnotherStepNeeded(APIException):
    """The password was right, and the pool asks for what only its own pages can: a second factor, a new password."""

    status_code = status.HTTP_403_FORBIDDEN
    default_detail = "The identity provider asks for another step, which this site does not offer."
    default_code = "another_step_needed"
