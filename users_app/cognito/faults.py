"""The refusals for a user pool that does not answer, or asks for a step that this site does not offer."""

from background.refusals import Kind, Refusal

RETRY_AFTER_S = 5


class PoolUnavailable(Refusal):
    """The pool cannot be reached, or it and this site are not set up for each other; the client can correct neither."""

    kind = Kind.UNAVAILABLE
    sentence = "The identity provider cannot be reached at the moment. Please try again shortly."
    code = "identity_provider_unavailable"
    retry_after_s = RETRY_AFTER_S


class PoolBusy(Refusal):
    kind = Kind.TOO_OFTEN
    sentence = "The identity provider takes no more requests at the moment."
    code = "identity_provider_busy"


class AnotherStepNeeded(Refusal):
    """The password was right, but the pool asks for a second factor or a new password, which only its pages offer."""

    kind = Kind.FORBIDDEN
    sentence = "The identity provider asks for another step, which this site does not offer."
    code = "another_step_needed"
