"""Verifies AWS Signature Version 4, which services sign their requests with.

Text is as in WSGI: the path and the query as they were sent, header values as Latin-1.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote, unquote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
MAX_SKEW = timedelta(minutes=5)
MAX_AUTHORIZATION_LENGTH = 4096  # a signer of thirty headers needs a quarter of it
MIN_SECRET_LENGTH = 16
MIN_GATEWAY_SECRET_LENGTH = 32
UNRESERVED = "-_.~"  # besides letters and digits

VISIBLE = re.compile(r"[!-~]+")
KEY_ID = re.compile(r"[!-+.0-~-]+")  # visible, without "/" and ",", which end it in a Credential
HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
HEADER_VALUE = re.compile(r"[\t -~\x80-\xff]*")
HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
SPACES = re.compile(r"[ \t]+")
TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")

Code = Literal["signature_missing", "signature_malformed", "signature_expired", "signature_wrong"]


class SignatureRefused(Exception):
    """A sentence for the developer of the service, and a stable code for the program."""

    def __init__(self, sentence: str, code: Code) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code: Code = code


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key of the service `name`, which may have several, so that keys can be exchanged without a gap."""

    name: str
    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as it was sent; `headers` by their names in lower case, repeated ones joined by commas."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Authorization:
    key_id: str
    scope: str
    signed_headers: tuple[str, ...]
    signature: str


# --- Keys ------------------------------------------------------------------------------------------------------------


def parse_service_keys(text: str) -> tuple[ServiceKey, ...]:
    """Parse entries `name:key_id:secret[:token]`, separated by commas; a ValueError names an entry by its number.

    The message repeats no part of an entry, because an entry in the wrong order has its secret in the name's place.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    keys = [_parse_service_key(entry, f"entry {number}") for number, entry in enumerate(entries, start=1)]
    number_of: dict[str, int] = {}
    for number, key in enumerate(keys, start=1):
        if key.key_id in number_of:
            raise ValueError(f"entries {number_of[key.key_id]} and {number} have the same key id")
        number_of[key.key_id] = number
    return tuple(keys)


def _parse_service_key(entry: str, where: str) -> ServiceKey:
    parts = entry.split(":")
    if len(parts) not in (3, 4):
        raise ValueError(f"{where} has {len(parts)} parts and not three or four: name:key_id:secret or with :token")
    if not all(parts):
        raise ValueError(f"{where} has an empty part: name:key_id:secret or with :token")
    if not all(VISIBLE.fullmatch(part) for part in parts):
        raise ValueError(f"{where} has a space or a character beyond ASCII")
    key = ServiceKey(*parts)
    if not KEY_ID.fullmatch(key.key_id):
        raise ValueError(f"{where} has a slash in its key id, which no signature can carry")
    if len(key.secret) < MIN_SECRET_LENGTH:
        raise ValueError(f"{where} has a secret shorter than {MIN_SECRET_LENGTH} characters")
    return key


def is_gateway_secret(text: str) -> bool:
    """True when the secret is long enough, and a header can carry it."""
    return len(text) >= MIN_GATEWAY_SECRET_LENGTH and bool(VISIBLE.fullmatch(text))


# --- The check -------------------------------------------------------------------------------------------------------


def verify_signature(
    request: SentRequest, *, keys: Collection[ServiceKey], region: str, service: str, now: datetime
) -> ServiceKey:
    """Return the key that signed this request; raises nothing but SignatureRefused."""
    authorization = parse_authorization(request.headers.get("authorization", ""))
    _check_address(request)
    _check_headers(request, authorization.signed_headers)
    timestamp = request.headers["x-amz-date"]
    _check_timestamp(timestamp, now=now)
    scope = f"{timestamp[:8]}/{region}/{service}/{TERMINATOR}"
    if authorization.scope != scope:
        raise SignatureRefused(f"The scope of the Credential must be {scope}.", "signature_wrong")
    body_hash = _body_hash(request)
    key = next((key for key in keys if key.key_id == authorization.key_id), None)
    # An unknown key goes through the same steps and gets the same answer as a wrong signature.
    signing_key = derive_signing_key(key.secret if key else "", scope)
    is_signed = any(
        hmac.compare_digest(hmac.digest(signing_key, text.encode(), "sha256").hex(), authorization.signature)
        for text in strings_to_sign(request, authorization.signed_headers, scope, service, body_hash)
    )
    token = request.headers.get("x-amz-security-token", "")
    if key is None or not is_signed or not hmac.compare_digest(token.encode(), key.token.encode()):
        raise SignatureRefused("The key is unknown, or the signature does not fit the request.", "signature_wrong")
    return key


def parse_authorization(header: str) -> Authorization:
    """Parse `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, with the three in any order."""
    if not header:
        raise SignatureRefused("The request is not signed: it has no Authorization header.", "signature_missing")
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM or len(header) > MAX_AUTHORIZATION_LENGTH:
        raise _malformed(
            f"Authorization must begin with {ALGORITHM} and have at most {MAX_AUTHORIZATION_LENGTH} characters."
        )
    parts = [part.strip(" ").partition("=") for part in rest.split(",")]
    fields = {name: value for name, _, value in parts}
    if sorted(name for name, _, _ in parts) != ["Credential", "Signature", "SignedHeaders"]:
        raise _malformed("The Authorization header must have Credential, SignedHeaders and Signature, each once.")
    key_id, _, scope = fields["Credential"].partition("/")
    if not (KEY_ID.fullmatch(key_id) and VISIBLE.fullmatch(scope)):
        raise _malformed("The Credential must be a key id and a scope, separated by slashes.")
    if not HEX_DIGEST.fullmatch(fields["Signature"]):
        raise _malformed("The Signature must be 64 hexadecimal digits in lower case.")
    names = fields["SignedHeaders"].split(";")
    if not all(HEADER_NAME.fullmatch(name) for name in names) or names != sorted(set(names)):
        raise _malformed("SignedHeaders must list names in lower case, each once and in alphabetical order.")
    return Authorization(key_id, scope, tuple(names), fields["Signature"])


def _check_address(request: SentRequest) -> None:
    """Refuse addresses that signers and servers interpret differently."""
    if not VISIBLE.fullmatch(request.method + request.path + request.query):
        raise _malformed("The address must be sent with everything but ASCII percent-encoded.")
    is_dotted = not {".", ".."}.isdisjoint(unquote(request.path).split("/"))
    if not request.path.startswith("/") or "//" in request.path or is_dotted:
        raise _malformed("The path must begin with a slash, without empty segments and without `.` and `..`.")
    names = (unquote(pair.partition("=")[0]).lower() for pair in request.query.split("&"))
    if "x-amz-signature" in names:
        raise _malformed("Signatures in the query are not accepted: sign in the Authorization header.")


def _check_headers(request: SentRequest, signed: Collection[str]) -> None:
    present = request.headers.keys()
    demanded = {"host", "x-amz-date", *(name for name in present if name.startswith("x-amz-"))}
    # Without a body Content-Type means nothing, and Django's development server makes one up.
    if request.body and "content-type" in present:
        demanded.add("content-type")
    if unsigned := sorted(demanded.difference(signed)):
        raise _malformed(f"These headers must be signed: {', '.join(unsigned)}.")
    if absent := [name for name in signed if name not in present]:
        raise _malformed(f"These headers are signed but did not arrive: {', '.join(absent)}.")
    if not all(HEADER_VALUE.fullmatch(request.headers[name]) for name in signed):
        raise _malformed("A signed header has a control character.")


def _check_timestamp(timestamp: str, *, now: datetime) -> None:
    """Refuse a timestamp that is malformed or further than MAX_SKEW from now."""
    if not TIMESTAMP.fullmatch(timestamp):
        raise _malformed("X-Amz-Date must look like 20250131T235959Z.")
    try:
        signed_at = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _malformed("X-Amz-Date is not a valid date.") from None
    if abs(now - signed_at) > MAX_SKEW:
        minutes = int(MAX_SKEW.total_seconds() // 60)
        raise SignatureRefused(f"X-Amz-Date is more than {minutes} minutes from our clock.", "signature_expired")


def _body_hash(request: SentRequest) -> str:
    """Return the SHA-256 of the body that arrived; refuses a request that states another one."""
    body_hash = hashlib.sha256(request.body).hexdigest()
    claimed = request.headers.get("x-amz-content-sha256", body_hash)
    if not HEX_DIGEST.fullmatch(claimed):
        raise _malformed("X-Amz-Content-SHA256 must be the SHA-256 of the body: unsigned bodies are not accepted.")
    if not hmac.compare_digest(claimed, body_hash):
        raise SignatureRefused("X-Amz-Content-SHA256 is not the SHA-256 of the body.", "signature_wrong")
    return body_hash


def _malformed(sentence: str) -> SignatureRefused:
    return SignatureRefused(sentence, "signature_malformed")


# --- What is signed --------------------------------------------------------------------------------------------------


def strings_to_sign(
    request: SentRequest, signed: Sequence[str], scope: str, service: str, body_hash: str
) -> Iterator[str]:
    """Yield the text that is signed, once for each form that the query may have been signed in."""
    # S3 takes the path as it was sent; all others encode it once more, so that "%2F" is signed as "%252F".
    path = request.path if service == "s3" else quote(request.path, safe=f"/{UNRESERVED}")
    headers = "".join(f"{name}:{SPACES.sub(' ', request.headers[name]).strip(' ')}\n" for name in signed)
    # Some signers sign the query as they send it, others encode it anew; the two forms differ in "+".
    as_sent = [pair.partition("=")[::2] for pair in request.query.split("&")] if request.query else []
    anew = [(_encode_anew(name), _encode_anew(value)) for name, value in as_sent if name or value]
    for query in {"&".join(f"{name}={value}" for name, value in sorted(pairs)) for pairs in (as_sent, anew)}:
        canonical_request = "\n".join((request.method, path, query, headers, ";".join(signed), body_hash))
        digest = hashlib.sha256(canonical_request.encode("latin-1")).hexdigest()
        yield "\n".join((ALGORITHM, request.headers["x-amz-date"], scope, digest))


def _encode_anew(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe=UNRESERVED)


def derive_signing_key(secret: str, scope: str) -> bytes:
    """Derive the key step by step from each part of the scope: date, region, service, terminator."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
