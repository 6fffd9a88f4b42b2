"""Error codes of S3 servers, as sentences that tell operators what to do; pure."""

from collections.abc import Mapping

# By the error codes of Amazon S3 and of compatible servers.
SENTENCES: Mapping[str, str] = {
    "NoSuchBucket": (
        "There is no bucket {bucket}: make it, or set AWS_STORAGE_BUCKET_NAME (or S3_…_BUCKET) to one that exists."
    ),
    "InvalidBucketName": "{bucket} is no name of a bucket: set AWS_STORAGE_BUCKET_NAME to one that exists.",
    "PermanentRedirect": "The bucket {bucket} lies in another region: set AWS_S3_REGION_NAME to its own.",
    "AuthorizationHeaderMalformed": "The bucket {bucket} lies in another region: set AWS_S3_REGION_NAME to its own.",
    "IllegalLocationConstraintException": (
        "The bucket {bucket} lies in another region: set AWS_S3_REGION_NAME to its own."
    ),
    "AccessDenied": (
        "The storage refuses this to these credentials in the bucket {bucket}: give them the policy that "
        "`manage.py setup_bucket --print-policy` prints."
    ),
    "InvalidAccessKeyId": "The storage does not know this access key: set AWS_ACCESS_KEY_ID to one that exists.",
    "SignatureDoesNotMatch": (
        "The storage finds the signature wrong: set AWS_SECRET_ACCESS_KEY to the secret of AWS_ACCESS_KEY_ID."
    ),
    "BadDigest": "What arrives at the storage is not what is sent: look at what stands in between.",
    "RequestTimeTooSkewed": "The clock of this machine is wrong by more than the storage accepts: set it by NTP.",
    "ExpiredToken": "The credentials have expired: renew them, or let a role provide them.",
    "InvalidToken": "The session token does not belong to these credentials: renew them, or let a role provide them.",
    "QuotaExceeded": "The bucket {bucket} is full: make room in it or raise its quota.",
    "SlowDown": "The storage asks to be used more slowly; it is tried again.",
}
# Answers to HEAD have no body and so no code, only a status; and some servers have other names for a code.
ALIASES: Mapping[str, str] = {
    "403": "AccessDenied",
    "301": "PermanentRedirect",
    "RequestExpired": "ExpiredToken",
    "TokenRefreshRequired": "ExpiredToken",
    "XAmzContentSHA256Mismatch": "BadDigest",
}
MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
EXCHANGED = frozenset({"412", "PreconditionFailed"})


def fault_sentence(code: str, message: str, bucket: str) -> str:
    """A sentence for the log and for `manage.py doctor`; viewers never see it."""
    sentence = SENTENCES.get(ALIASES.get(code, code))
    return sentence.format(bucket=bucket) if sentence else f"The storage answered {code}: {message or 'no reason'}."
