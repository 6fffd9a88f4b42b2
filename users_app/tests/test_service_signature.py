"""Requests signed by two common signers (botocore and requests-aws4auth), then changed in one respect."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests_aws4auth import AWS4Auth  # type: ignore[import-untyped, unused-ignore]

from users_app.http.service_signature import (
    SentRequest,
    ServiceKey,
    SignatureRefused,
    is_gateway_secret,
    parse_authorization,
    parse_service_keys,
    verify_signature,
)

ORIGIN = "http://videos.example.com:8000"
ROUTE = "/api/v1/upload/videos/by-key"
REGION, SERVICE = "eu-central-1", "execute-api"
KEY = ServiceKey("transcoder", "AKIDTRANSCODER", "a-secret-of-the-transcoder/+=")
NEW_KEY = ServiceKey("transcoder", "AKIDNEWER", "the-newer-secret-of-it")
TOKEN_KEY = ServiceKey("importer", "ASIAIMPORTER", "a-secret-of-the-importer", "a/session+token==")
JSON = {"Content-Type": "application/json"}


Signer = Callable[..., SentRequest]


@dataclass(frozen=True)
class Draft:
    method: str = "GET"
    address: str = f"{ROUTE}/originals/a.mp4/"
    params: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    key: ServiceKey = KEY
    region: str = REGION
    service: str = SERVICE


def signer(sign: Callable[[Draft], SentRequest]) -> Signer:
    return lambda *args, **fields: sign(Draft(*args, **fields))


@signer
def by_botocore(draft: Draft) -> SentRequest:
    key = Credentials(draft.key.key_id, draft.key.secret, draft.key.token or None)
    request = AWSRequest(draft.method, ORIGIN + draft.address, dict(draft.headers), draft.body, draft.params)
    auth = S3SigV4Auth if draft.service == "s3" else SigV4Auth
    auth(key, draft.service, draft.region).add_auth(request)
    prepared = request.prepare()
    return sent(draft.method, prepared.url, prepared.headers.items(), draft.body)


@signer
def by_requests(draft: Draft) -> SentRequest:
    key = draft.key
    request = requests.Request(
        draft.method, ORIGIN + draft.address, dict(draft.headers), data=draft.body, params=draft.params,
        auth=AWS4Auth(key.key_id, key.secret, draft.region, draft.service, session_token=key.token or None),
    )  # fmt: skip
    prepared = request.prepare()
    assert prepared.url
    return sent(draft.method, prepared.url, prepared.headers.items(), draft.body)


def sent(method: str, url: str, headers: Any, body: bytes) -> SentRequest:
    """Return the request as it arrives: names in any case, values as bytes, and the Host that http.client adds."""
    parts = urlsplit(url)
    texts = {name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in headers}
    return SentRequest(method, parts.path, parts.query, {"host": parts.netloc, **texts}, body)


def signed_at(request: SentRequest) -> datetime:
    return datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def check(request: SentRequest, *keys: ServiceKey, late: timedelta = timedelta(), service: str = SERVICE) -> ServiceKey:
    now = signed_at(request) + late
    return verify_signature(request, keys=keys or (KEY, TOKEN_KEY), region=REGION, service=service, now=now)


def refusal(request: SentRequest, *keys: ServiceKey, now: datetime | None = None) -> SignatureRefused:
    """Return how the request is refused; the test fails without a refusal and by any other exception."""
    with pytest.raises(SignatureRefused) as caught:
        verify_signature(
            request, keys=keys or (KEY, TOKEN_KEY), region=REGION, service=SERVICE, now=now or datetime.now(UTC)
        )
    return caught.value


def with_headers(request: SentRequest, **changes: str | None) -> SentRequest:
    """Change headers, named with "_" for "-"; None removes one."""
    headers = {**request.headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return replace(request, headers={name: value for name, value in headers.items() if value is not None})


def with_authorization(request: SentRequest, change: Callable[[str], str]) -> SentRequest:
    return with_headers(request, authorization=change(request.headers["authorization"]))


each_signer = pytest.mark.parametrize("sign", [by_botocore, by_requests], ids=["botocore", "requests"])


# --- What is accepted ------------------------------------------------------------------------------------------------


def test_the_example_of_aws_is_accepted() -> None:
    key = ServiceKey("example", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    authorization = (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z", "authorization": authorization}
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    request = SentRequest("GET", "/", "", headers)
    assert verify_signature(request, keys=[key], region="us-east-1", service="service", now=now) == key


PATHS = [
    "/",
    "/api/v1/upload/videos/12/status",
    "/api/v1/upload/videos/12/status/",
    f"{ROUTE}/originals/0a1b/film.mp4/",
    f"{ROUTE}/originals%2F0a1b%2Ffilm.mp4/",
    f"{ROUTE}/a%20film%20with%20spaces.mp4/",
    f"{ROUTE}/1+1.mp4/",
    f"{ROUTE}/1%2B1.mp4/",
    f"{ROUTE}/~home/a~b.mp4/",
    f"{ROUTE}/M%C3%BCller%20%C3%9Cberfall.mp4/",
    f"{ROUTE}/100%25.mp4/",
    f"{ROUTE}/100%252F.mp4/",
    f"{ROUTE}/a:b@c,d;e=f&g$h!i'j(k)*l.mp4/",
    f"{ROUTE}/%2F/",
    f"{ROUTE}/.hidden/..two/three.../",
]


@each_signer
@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_signed_as_it_was_sent(sign: Signer, path: str) -> None:
    request = sign("GET", path)
    assert request.path == path
    assert check(request) == KEY


@pytest.mark.parametrize("key", ["a film.mp4", "Müller.mp4", "100%.mp4", "a%2Fb c.mp4", "日本.mp4"])
def test_a_path_that_requests_encodes_itself_is_accepted(key: str) -> None:
    assert check(by_requests("GET", f"{ROUTE}/{key}/")) == KEY


QUERIES = [
    "status=COMPLETED",
    "z=1&a=2&m=3",
    "b=2&a=1&b=1&a=",
    "a=&b=",
    "flag",
    "flag&a=1",
    "a=b=c",
    "key=originals%2Fa%20b.mp4",
    "key=originals/a:b",
    "name=M%C3%BCller",
    "sum=1%2B1",
    "a=%7E~",
    "A=1&a=2&a-b=3&aB=4",
]


@each_signer
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_accepted_in_any_order_and_with_empty_values(sign: Signer, query: str) -> None:
    request = sign("PATCH", f"/api/v1/upload/videos/12/status/?{query}")
    assert check(request) == KEY
    assert check(replace(request, query="&".join(reversed(query.split("&"))))) == KEY


@each_signer
@pytest.mark.parametrize("params", [{"name": "two words"}, {"sum": "1+1"}, {"b": "ü", "a": "%"}, {"a": ""}])
def test_parameters_that_the_signer_encodes_itself_are_accepted(sign: Signer, params: dict[str, str]) -> None:
    assert check(sign("GET", "/", params=params)) == KEY


def test_a_plus_that_botocore_signs_as_it_stands_is_accepted() -> None:
    assert check(by_botocore("GET", "/?name=two+words")) == KEY


@each_signer
@pytest.mark.parametrize("body", [b"{}", b'{"status": "COMPLETED"}', b"\x00\xff\r\n" * 1000])
def test_a_body_is_accepted(sign: Signer, body: bytes) -> None:
    request = sign("POST", "/", headers=JSON, body=body)
    assert request.body == body
    assert check(request) == KEY


@each_signer
def test_headers_are_trimmed_and_their_inner_spaces_collapsed(sign: Signer) -> None:
    request = sign("GET", "/", headers={"X-Amz-Meta": "one   two\tthree"})
    assert check(request) == KEY
    assert check(with_headers(request, x_amz_meta="  one two    three\t")) == KEY


def test_a_header_that_was_sent_twice_is_signed_with_a_comma() -> None:
    request = AWSRequest("GET", f"{ORIGIN}/", {"Accept": "text/html"})
    request.headers.add_header("Accept", "application/json")
    SigV4Auth(Credentials(KEY.key_id, KEY.secret), SERVICE, REGION).add_auth(request)
    arrived = sent("GET", f"{ORIGIN}/", request.headers.items(), b"")
    assert check(with_headers(arrived, accept="text/html,application/json")) == KEY


@each_signer
def test_headers_that_proxies_add_need_no_signature(sign: Signer) -> None:
    request = sign("GET", "/")
    added = {"x-amzn-trace-id": "Root=1-2-3", "x-request-id": "0123456789", "via": "1.1 proxy", "content-type": "x/y"}
    assert check(replace(request, headers={**request.headers, **added})) == KEY


@pytest.mark.parametrize("path", ["/bucket/a%20b.mp4", "/bucket/100%25.mp4", "/bucket/a~b"])
def test_for_s3_a_path_is_not_encoded_once_more(path: str) -> None:
    for sign in (by_botocore, by_requests):
        request = sign("GET", path, service="s3")
        assert verify_signature(request, keys=[KEY], region=REGION, service="s3", now=signed_at(request)) == KEY


def test_the_three_parts_may_come_in_any_order_and_without_spaces() -> None:
    def reorder(header: str) -> str:
        algorithm, _, rest = header.partition(" ")
        return f"{algorithm} {','.join(reversed(rest.split(', ')))}"

    assert check(with_authorization(by_botocore(), reorder)) == KEY


# --- What is changed on the way --------------------------------------------------------------------------------------


@each_signer
@pytest.mark.parametrize("name", ["host", "x-amz-date", "content-type", "x-amz-meta"])
def test_a_signed_header_cannot_be_changed_or_taken_away(sign: Signer, name: str) -> None:
    request = sign("POST", "/", headers={**JSON, "X-Amz-Meta": "one"}, body=b"{}")
    assert check(request) == KEY
    now = signed_at(request)
    for changed in (f"{request.headers[name]}x", "", "x", None):
        assert refusal(with_headers(request, **{name: changed}), now=now).code.startswith("signature_")
    one_second = (now + timedelta(seconds=1)).strftime("%Y%m%dT%H%M%SZ")
    assert refusal(with_headers(request, x_amz_date=one_second), now=now).code == "signature_wrong"


TAMPERED: list[tuple[str, Callable[[SentRequest], SentRequest]]] = [
    ("method", lambda r: replace(r, method="PUT")),
    ("method in lower case", lambda r: replace(r, method="post")),
    ("path", lambda r: replace(r, path=f"{r.path}x")),
    ("path without its slash", lambda r: replace(r, path=r.path.rstrip("/"))),
    ("path with a slash decoded", lambda r: replace(r, path=r.path.replace("%2F", "/"))),
    ("path with other hexadecimal digits", lambda r: replace(r, path=r.path.replace("%2F", "%2f"))),
    ("path encoded twice", lambda r: replace(r, path=r.path.replace("%2F", "%252F"))),
    ("query", lambda r: replace(r, query="status=FAILED&a=1")),
    ("query taken away", lambda r: replace(r, query="")),
    ("query with one more", lambda r: replace(r, query=f"{r.query}&b=2")),
    ("query with one doubled", lambda r: replace(r, query=f"{r.query}&a=1")),
    ("query with a name in upper case", lambda r: replace(r, query=r.query.replace("a=", "A="))),
    ("body", lambda r: replace(r, body=b"{ }")),
    ("body taken away", lambda r: replace(r, body=b"")),
    ("header moved into another", lambda r: with_headers(r, host=f"{r.headers['host']}\ncontent-type:x")),
]


@each_signer
@pytest.mark.parametrize("change", [row[1] for row in TAMPERED], ids=[row[0] for row in TAMPERED])
def test_a_request_that_was_changed_on_the_way_is_refused(
    sign: Signer, change: Callable[[SentRequest], SentRequest]
) -> None:
    request = sign("POST", f"{ROUTE}/a%2Fb/?status=COMPLETED&a=1", headers=JSON, body=b"{}")
    assert check(request) == KEY
    assert refusal(change(request), now=signed_at(request)).code in {"signature_wrong", "signature_malformed"}


def test_a_signature_with_one_wrong_digit_is_refused() -> None:
    request = by_botocore()
    now = signed_at(request)
    signature = parse_authorization(request.headers["authorization"]).signature
    for at, digit in enumerate(signature):
        other = signature[:at] + format(int(digit, 16) ^ 1, "x") + signature[at + 1 :]
        changed = with_authorization(request, lambda header, other=other: header.replace(signature, other))  # type: ignore[misc]
        assert refusal(changed, now=now).code == "signature_wrong"


@pytest.mark.parametrize(
    ("part", "other"),
    [(0, "AKIDSTRANGER"), (1, "20200101"), (2, "us-east-1"), (3, "s3"), (4, "aws5_request"), (4, "aws4_request/x")],
)
def test_no_part_of_the_credential_can_be_changed(part: int, other: str) -> None:
    def change(header: str) -> str:
        credential = re.search(r"Credential=([^,]*)", header)
        assert credential
        parts = credential[1].split("/")
        return header.replace(credential[1], "/".join([*parts[:part], other, *parts[part + 1 :]]))

    assert refusal(with_authorization(by_botocore(), change)).code == "signature_wrong"


@each_signer
def test_a_signature_for_another_service_is_refused_with_the_right_scope(sign: Signer) -> None:
    for request in (sign(region="us-east-1"), sign(service="lambda")):
        refused = refusal(request)
        assert refused.code == "signature_wrong"
        assert refused.sentence.endswith(f"/{REGION}/{SERVICE}/aws4_request.")


@each_signer
def test_an_unknown_key_and_a_wrong_signature_look_alike(sign: Signer) -> None:
    unknown = refusal(sign(key=replace(KEY, key_id="AKIDSTRANGER")))
    wrong = refusal(sign(key=replace(KEY, secret="another-secret-of-it")))
    assert (unknown.sentence, unknown.code) == (wrong.sentence, "signature_wrong")
    assert wrong.code == "signature_wrong"


def test_an_empty_secret_signs_for_no_unknown_key() -> None:
    """The signature for an unknown key is computed from an empty secret."""
    request = by_botocore(key=ServiceKey("stranger", "AKIDSTRANGER", ""))
    assert refusal(request).code == "signature_wrong"


def test_without_keys_every_signature_is_wrong() -> None:
    with pytest.raises(SignatureRefused, match="The key is unknown"):
        verify_signature(by_botocore(), keys=(), region=REGION, service=SERVICE, now=datetime.now(UTC))


# --- Time ------------------------------------------------------------------------------------------------------------


@each_signer
@pytest.mark.parametrize("direction", [1, -1])
def test_a_clock_may_be_five_minutes_off_but_not_a_second_more(sign: Signer, direction: int) -> None:
    request = sign()
    assert check(request, late=direction * timedelta(minutes=5)) == KEY
    refused = refusal(request, now=signed_at(request) + direction * timedelta(minutes=5, seconds=1))
    assert refused.code == "signature_expired"


def test_a_signature_is_good_across_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = datetime(2025, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: midnight - timedelta(seconds=1))
    request = by_botocore()
    assert request.headers["x-amz-date"] == "20241231T235959Z"
    assert check(request, late=timedelta(seconds=2)) == KEY


@pytest.mark.parametrize(
    "date",
    ["", "now", "20250230T000000Z", "20250101T250000Z", "2025-01-01T00:00:00Z", "20250101T000000", "20250101T000000Z ",
     "20250101T000000Z,20250101T000000Z", "００００００００T000000Z", "00000101T000000Z", "9" * 10_000, "\x00"],
)  # fmt: skip
def test_an_invalid_date_is_malformed(date: str) -> None:
    assert refusal(with_headers(by_botocore(), x_amz_date=date)).code == "signature_malformed"


# --- What has to be signed -------------------------------------------------------------------------------------------


def resigned(request: SentRequest, *signed: str) -> SentRequest:
    """Return the request with other SignedHeaders; these rules apply before the signature is compared."""
    names = f"SignedHeaders={';'.join(signed)}"
    return with_authorization(request, lambda header: re.sub(r"SignedHeaders=[^,]*", names, header))


@pytest.mark.parametrize(
    ("signed", "named"),
    [
        (["content-type", "x-amz-date"], "host"),
        (["content-type", "host"], "x-amz-date"),
        (["host", "x-amz-date"], "content-type"),
        (["accept"], "content-type, host, x-amz-date"),
        (["content-type", "host", "x-amz-date", "x-amz-meta"], "x-amz-meta"),
    ],
)
def test_an_unsigned_header_is_named(signed: list[str], named: str) -> None:
    refused = refusal(resigned(by_botocore("POST", "/", headers=JSON, body=b"{}"), *signed))
    assert refused.code == "signature_malformed"
    assert refused.sentence.endswith(f": {named}.")


@each_signer
def test_a_header_that_an_attacker_adds_is_refused(sign: Signer) -> None:
    added = with_headers(sign(), x_amz_target="DeleteEverything")
    assert refusal(added).sentence == "These headers must be signed: x-amz-target."


@each_signer
def test_a_header_that_a_proxy_took_away_is_named(sign: Signer) -> None:
    request = sign(headers={"X-Amz-Meta": "one"})
    assert refusal(with_headers(request, x_amz_meta=None)).sentence.endswith("did not arrive: x-amz-meta.")
    assert refusal(with_headers(request, host=None)).sentence.endswith("did not arrive: host.")


@pytest.mark.parametrize(
    "names",
    [
        ["host", "host", "x-amz-date"],
        ["x-amz-date", "host"],
        ["Host", "x-amz-date"],
        ["host", "", "x-amz-date"],
        [""],
        ["host", " x-amz-date"],
        ["host", "x amz date"],
        ["host", "x-amz-date", "ü"],
    ],
)
def test_signed_headers_are_sorted_unique_and_in_lower_case(names: list[str]) -> None:
    refused = refusal(resigned(by_botocore(), *names))
    assert refused.sentence.startswith("SignedHeaders")
    assert refused.code == "signature_malformed"


# --- The body --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claimed",
    ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", "A" * 64, "0"],
)
def test_an_unsigned_body_is_refused_though_the_signature_is_right(claimed: str) -> None:
    request = by_botocore("POST", "/", headers={**JSON, "X-Amz-Content-SHA256": claimed}, body=b"{}")
    assert refusal(request).code == "signature_malformed"


def test_the_hash_of_another_body_is_refused_though_the_signature_is_right() -> None:
    request = by_botocore("POST", "/", headers={**JSON, "X-Amz-Content-SHA256": "0" * 64}, body=b"{}")
    assert refusal(request).sentence == "X-Amz-Content-SHA256 is not the SHA-256 of the body."


# --- Addresses that mean one thing to a signer and another to a server ----------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["", "x", "*", "//", "/a//b", "//evil.example/a", "/a/../b", "/..", "/./a", "/a/.", "/a/%2e%2E/b", "/a%2F..%2Fb",
     "/ü", "/a b", "/a\x00b", "/a\nb", "http://videos.example.com/"],
)  # fmt: skip
def test_an_odd_path_is_malformed(path: str) -> None:
    assert refusal(replace(by_botocore("GET", "/"), path=path)).code == "signature_malformed"


@pytest.mark.parametrize("query", ["ü", "a b", "a\nb", "\x00"])
def test_an_odd_query_is_malformed(query: str) -> None:
    assert refusal(replace(by_botocore("GET", "/"), query=query)).code == "signature_malformed"


@pytest.mark.parametrize("name", ["X-Amz-Signature", "x-amz-signature", "X%2DAmz-Signature", "X-Amz-Signature=0"])
def test_a_presigned_address_is_refused(name: str) -> None:
    refused = refusal(by_botocore("GET", f"/?a=1&{name}"))
    assert refused.code == "signature_malformed"
    assert "in the query" in refused.sentence


# --- The header itself -----------------------------------------------------------------------------------------------

GOOD = "Credential=AKID/20250101/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64


def of_key(key_id: str) -> str:
    return f"AWS4-HMAC-SHA256 {GOOD.replace('AKID', key_id)}"


MALFORMED = [
    ("nothing but the algorithm", "AWS4-HMAC-SHA256"),
    ("nothing after a space", "AWS4-HMAC-SHA256 "),
    ("another algorithm", f"AWS4-HMAC-SHA512 {GOOD}"),
    ("the algorithm in lower case", f"aws4-hmac-sha256 {GOOD}"),
    ("another scheme", "Bearer abc"),
    ("no algorithm", GOOD),
    ("a tab for the space", f"AWS4-HMAC-SHA256\t{GOOD}"),
    ("a part too few", "AWS4-HMAC-SHA256 " + GOOD.rpartition(",")[0]),
    ("a part too many", f"AWS4-HMAC-SHA256 {GOOD}, Extra=1"),
    ("a part twice", f"AWS4-HMAC-SHA256 {GOOD}, Signature={'0' * 64}"),
    ("two signatures in one header", f"AWS4-HMAC-SHA256 {GOOD}, AWS4-HMAC-SHA256 {GOOD}"),
    ("a comma at the end", f"AWS4-HMAC-SHA256 {GOOD},"),
    ("names in lower case", f"AWS4-HMAC-SHA256 {GOOD.lower()}"),
    ("an empty signature", f"AWS4-HMAC-SHA256 {GOOD[:-64]}"),
    ("a short signature", f"AWS4-HMAC-SHA256 {GOOD[:-1]}"),
    ("a long signature", f"AWS4-HMAC-SHA256 {GOOD}0"),
    ("a signature in upper case", f"AWS4-HMAC-SHA256 {GOOD[:-64]}{'A' * 64}"),
    ("a signature of other digits", f"AWS4-HMAC-SHA256 {GOOD[:-64]}{'٣' * 64}"),
    ("a newline at the end", f"AWS4-HMAC-SHA256 {GOOD}\n"),
    ("a credential without a scope", f"AWS4-HMAC-SHA256 {GOOD.replace('/', '')}"),
    ("an empty key id", of_key("")),
    ("an empty credential", f"AWS4-HMAC-SHA256 {re.sub('Credential=[^,]*', 'Credential=', GOOD)}"),
    ("a null", "AWS4-HMAC-SHA256 \x00"),
    ("a null in the key id", of_key("AK\x00ID")),
    ("no ASCII", "AWS4-HMAC-SHA256 ÄÖÜ"),
    ("no ASCII in the key id", of_key("ÄKID")),
    ("half a character", of_key("\udcff")),
    ("a huge header", of_key("A" * 1_000_000)),
    ("a million commas", "AWS4-HMAC-SHA256 " + "," * 1_000_000),
]


@pytest.mark.parametrize("header", [row[1] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_header_is_refused_and_nothing_else_happens(header: str) -> None:
    assert refusal(with_headers(by_botocore(), authorization=header)).code == "signature_malformed"


def test_a_request_without_the_header_is_not_signed() -> None:
    for header in (None, ""):
        assert refusal(with_headers(by_botocore(), authorization=header)).code == "signature_missing"


@pytest.mark.parametrize("value", ["", "\x00", "ü", "日本", "\udcff", "x" * 1_000_000, "\n", "a\r\nhost: evil"])
@pytest.mark.parametrize("name", ["host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "content-type"])
def test_any_header_value_is_refused_without_an_error(name: str, value: str) -> None:
    request = with_headers(by_requests("POST", "/", headers=JSON, body=b"{}", key=TOKEN_KEY), **{name: value})
    assert refusal(request).code in {"signature_malformed", "signature_wrong"}


# --- Keys and tokens -------------------------------------------------------------------------------------------------


@each_signer
def test_while_keys_are_exchanged_the_old_one_and_the_new_one_are_valid(sign: Signer) -> None:
    for key in (KEY, NEW_KEY):
        assert check(sign(key=key), KEY, NEW_KEY).name == "transcoder"
    assert refusal(sign(key=KEY), NEW_KEY).code == "signature_wrong"


@each_signer
def test_a_key_with_a_token_needs_it_and_no_other(sign: Signer) -> None:
    assert check(sign(key=TOKEN_KEY)) == TOKEN_KEY
    for token in ("", "another", TOKEN_KEY.token[:-1]):
        assert refusal(sign(key=replace(TOKEN_KEY, token=token))).code == "signature_wrong"


@each_signer
def test_a_key_without_a_token_takes_none(sign: Signer) -> None:
    assert refusal(sign(key=replace(KEY, token="a-token"))).code == "signature_wrong"


@each_signer
def test_a_token_that_is_not_signed_is_refused(sign: Signer) -> None:
    request = with_headers(sign(key=replace(TOKEN_KEY, token="")), x_amz_security_token=TOKEN_KEY.token)
    assert refusal(request).sentence == "These headers must be signed: x-amz-security-token."


def test_keys_are_parsed_with_and_without_tokens() -> None:
    with_token = "importer:ASIA:0123456789abcdef:tok/+="
    text = f"transcoder:AKID:0123456789abcdef, transcoder:AKID2:0123456789abcde/+=,\n {with_token},"
    assert parse_service_keys(text) == (
        ServiceKey("transcoder", "AKID", "0123456789abcdef"),
        ServiceKey("transcoder", "AKID2", "0123456789abcde/+="),
        ServiceKey("importer", "ASIA", "0123456789abcdef", "tok/+="),
    )
    assert parse_service_keys("") == parse_service_keys(" , ") == ()


FIRST = "a:AKID:0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("S3CR3T-0123456789", "entry 1 has 1 parts"),
        ("a:S3CR3T-0123456789", "entry 1 has 2 parts"),
        (f"{FIRST},a:b:S3CR3T-0123456789:c:d", "entry 2 has 5 parts"),
        (":b:S3CR3T-0123456789", "entry 1 has an empty part"),
        ("a::S3CR3T-0123456789", "entry 1 has an empty part"),
        ("S3CR3T-0123456789:b:", "entry 1 has an empty part"),
        (f"{FIRST},a:b:S3CR3T-0123456789:", "entry 2 has an empty part"),
        (f"{FIRST},,a:AKID:S3CR3T-0123456789", "entries 1 and 2 have the same key id"),
        ("a:b:S3CR3T", "entry 1 has a secret shorter than 16 characters"),
        ("a:b:S3CR3T-01234567", "entry 1 has a secret shorter than 16 characters"),
        ("a:b:S3CR3T 0123456789", "entry 1 has a space"),
        ("a:b:S3CR3T-0123456789ü", "entry 1 has a space or a character beyond ASCII"),
        ("a:S3CR3T/0123456789:c0123456789abcdef", "entry 1 has a slash in its key id"),
    ],
)
def test_keys_that_cannot_be_parsed_are_named_by_their_number(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        parse_service_keys(text)
    assert "S3CR3T" not in str(caught.value)


def test_the_repr_of_keys_and_requests_shows_no_secret() -> None:
    assert "secret" not in repr(KEY)
    assert TOKEN_KEY.token not in repr(TOKEN_KEY)
    assert TOKEN_KEY.secret not in repr((TOKEN_KEY,))


@pytest.mark.parametrize(
    ("text", "expected"), [("x" * 32, True), ("x" * 31, False), ("ü" * 32, False), ("x " * 16, False), ("", False)]
)
def test_a_gateway_needs_a_long_secret_that_a_header_can_carry(text: str, expected: bool) -> None:
    assert is_gateway_secret(text) is expected
