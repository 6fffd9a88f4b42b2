"""The sentences for operators about the errors of S3 servers."""

import pytest

from media_pipeline.storage.s3_faults import ALIASES, MISSING, SENTENCES, fault_sentence


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("NoSuchBucket", "There is no bucket films: make it"),
        ("InvalidBucketName", "films is no name of a bucket"),
        ("PermanentRedirect", "set AWS_S3_REGION_NAME"),
        ("AuthorizationHeaderMalformed", "set AWS_S3_REGION_NAME"),
        ("IllegalLocationConstraintException", "set AWS_S3_REGION_NAME"),
        ("301", "set AWS_S3_REGION_NAME"),
        ("AccessDenied", "setup_bucket --print-policy"),
        ("403", "setup_bucket --print-policy"),
        ("InvalidAccessKeyId", "set AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "set AWS_SECRET_ACCESS_KEY"),
        ("BadDigest", "not what is sent"),
        ("XAmzContentSHA256Mismatch", "not what is sent"),
        ("RequestTimeTooSkewed", "set it by NTP"),
        ("ExpiredToken", "have expired"),
        ("RequestExpired", "have expired"),
        ("TokenRefreshRequired", "have expired"),
        ("InvalidToken", "does not belong to these credentials"),
        ("QuotaExceeded", "films is full"),
        ("SlowDown", "more slowly"),
    ],
)
def test_a_refusal_says_what_to_do(code: str, part: str) -> None:
    assert part in fault_sentence(code, "what the server says", "films")


def test_an_unknown_error_is_reported_in_the_words_of_the_server() -> None:
    assert fault_sentence("Odd{code}", "a {reason}", "films") == "The storage answered Odd{code}: a {reason}."
    assert fault_sentence("500", "", "films") == "The storage answered 500: no reason."


@pytest.mark.parametrize("sentence", SENTENCES.values())
def test_every_sentence_takes_the_name_of_a_bucket(sentence: str) -> None:
    assert "{" not in sentence.format(bucket="films")
    assert sentence.endswith(".")


def test_every_alias_of_an_error_has_a_sentence() -> None:
    assert set(ALIASES.values()) <= set(SENTENCES)
    assert not set(ALIASES) & set(SENTENCES)
    assert not MISSING & (set(ALIASES) | set(SENTENCES))
