"""AWS Signature Version 4, as services sign their requests: the keys, the canonical request, the comparison.

Text is as WSGI has it: the path and the query as they were sent, header values as Latin-1.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote, unquote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
MOST_SKEW = timedelta(minutes=5)
LONGEST_AUTHORIZATION = 4096  # that of a signer that signs thirty headers is a quarter of it
LEAST_SECRET_LENGTH = 16
LEAST_GATEWAY_SECRET_LENGTH = 32
UNRESERVED = "-_.~"  # besides letters and digits

VISIBLE = re.compile(r"[!-~]+")
KEY_ID = re.compile(r"[!-+.0-~-]+")  # visible, without what a Credential ends it with: "/" and ","
HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
HEADER_VALUE = re.compile(r"[\t -~\x80-\xff]*")
HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
SPACES = re.compile(r"[ \t]+")
TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")

Code = Literal["signature_missing", "signature_malformed", "signature_expired", "signature_wrong"]


class SignatureRefused(Exception):
    """A sentence for whoever signs, and a stable code for their program."""

    def __init__(self, sentence: str, code: Code) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code: Code = code


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """One of the keys of the service `name`; a new and an old one are valid at once while keys are exchanged."""

    name: str
    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SentRequest:
    """What was sent; `headers` by their names in lower case, repeated ones joined by commas."""

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
    """Of `name:key_id:secret[:token]`, separated by commas; a ValueError names an entry by its number only.

    Whoever mixes up the order has a secret where a name belongs, so no part of an entry is ever repeated.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    keys = [_parse_service_key(entry, f"entry {number}") for number, entry in enumerate(entries, start=1)]
    _refuse_double_ids(keys)
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
    if len(key.secret) < LEAST_SECRET_LENGTH:
        raise ValueError(f"{where} has a secret shorter than {LEAST_SECRET_LENGTH} characters")
    return key


def _refuse_double_ids(keys: Sequence[ServiceKey]) -> None:
    first: dict[str, int] = {}
    for number, key in enumerate(keys, start=1):
        if key.key_id in first:
            raise ValueError(f"entries {first[key.key_id]} and {number} have the same key id")
        first[key.key_id] = number


def is_gateway_secret(text: str) -> bool:
    """Whether a gateway can prove itself by this: long, and a header can carry it."""
    return len(text) >= LEAST_GATEWAY_SECRET_LENGTH and bool(VISIBLE.fullmatch(text))


# --- The check -------------------------------------------------------------------------------------------------------


def verify_signature(
    request: SentRequest, *, keys: Collection[ServiceKey], region: str, service: str, now: datetime
) -> ServiceKey:
    """The key that signed this request; raises SignatureRefused and nothing else."""
    authorization = parse_authorization(request.headers.get("authorization", ""))
    _refuse_odd_address(request)
    _refuse_odd_headers(request, authorization.signed_headers)
    timestamp = _timely(request.headers["x-amz-date"], now=now)
    scope = f"{timestamp[:8]}/{region}/{service}/{TERMINATOR}"
    if authorization.scope != scope:
        raise SignatureRefused(f"The scope of the Credential has to be {scope}.", "signature_wrong")
    body_hash = _body_hash(request)
    key = next((key for key in keys if key.key_id == authorization.key_id), None)
    # An unknown key takes the same steps and gets the same answer as a wrong signature.
    signing_key = derive_signing_key(key.secret if key else "", scope)
    is_signed = any(
        hmac.compare_digest(_signature(signing_key, timestamp, scope, canonical), authorization.signature)
        for canonical in canonical_requests(request, authorization.signed_headers, service, body_hash)
    )
    if key is None or not is_signed or not _has_token(request, key):
        raise SignatureRefused("This request was not signed so with a key that we know.", "signature_wrong")
    return key


def parse_authorization(header: str) -> Authorization:
    """`AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, the three in any order."""
    if not header:
        raise SignatureRefused("The request is not signed: it has no Authorization header.", "signature_missing")
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM or len(header) > LONGEST_AUTHORIZATION:
        raise _malformed(f"The Authorization header has to begin with {ALGORITHM} and be of a sensible length.")
    parts = [part.strip(" ").partition("=") for part in rest.split(",")]
    fields = {name: value for name, _, value in parts}
    if sorted(name for name, _, _ in parts) != ["Credential", "Signature", "SignedHeaders"]:
        raise _malformed("The Authorization header has to have Credential, SignedHeaders and Signature, each once.")
    key_id, _, scope = fields["Credential"].partition("/")
    if not (KEY_ID.fullmatch(key_id) and VISIBLE.fullmatch(scope)):
        raise _malformed("The Credential has to be a key id and a scope, separated by slashes.")
    if not HEX_DIGEST.fullmatch(fields["Signature"]):
        raise _malformed("The Signature has to be 64 hexadecimal digits in lower case.")
    return Authorization(key_id, scope, _parse_signed_headers(fields["SignedHeaders"]), fields["Signature"])


def _parse_signed_headers(text: str) -> tuple[str, ...]:
    names = text.split(";")
    if not all(HEADER_NAME.fullmatch(name) for name in names) or names != sorted(set(names)):
        raise _malformed("SignedHeaders has to list names in lower case, each once and in alphabetical order.")
    return tuple(names)


def _refuse_odd_address(request: SentRequest) -> None:
    """Whatever signers and servers do not agree on."""
    if not VISIBLE.fullmatch(request.method + request.path + request.query):
        raise _malformed("The address has to be sent with everything but ASCII percent-encoded.")
    is_dotted = not {".", ".."}.isdisjoint(unquote(request.path).split("/"))
    if not request.path.startswith("/") or "//" in request.path or is_dotted:
        raise _malformed("The path has to begin with a slash and to have no empty segments and none of dots.")
    names = (unquote(pair.partition("=")[0]).lower() for pair in request.query.split("&"))
    if "x-amz-signature" in names:
        raise _malformed("Signatures in the query are not taken: sign in the Authorization header.")


def _refuse_odd_headers(request: SentRequest, signed: Collection[str]) -> None:
    present = request.headers.keys()
    demanded = {"host", "x-amz-date", *(name for name in present if name.startswith("x-amz-"))}
    # Of nothing it is the type of nothing, and Django's development server makes one up.
    if request.body and "content-type" in present:
        demanded.add("content-type")
    if unsigned := sorted(demanded.difference(signed)):
        raise _malformed(f"These headers have to be signed: {', '.join(unsigned)}.")
    if absent := [name for name in signed if name not in present]:
        raise _malformed(f"These headers are signed but did not arrive: {', '.join(absent)}.")
    if not all(HEADER_VALUE.fullmatch(request.headers[name]) for name in signed):
        raise _malformed("A signed header has a control character.")


def _timely(timestamp: str, *, now: datetime) -> str:
    """The timestamp again, if it is one and not too far from now."""
    if not TIMESTAMP.fullmatch(timestamp):
        raise _malformed("X-Amz-Date has to look like 20250131T235959Z.")
    try:
        signed_at = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _malformed("X-Amz-Date is no date.") from None
    if abs(now - signed_at) > MOST_SKEW:
        minutes = int(MOST_SKEW.total_seconds() // 60)
        raise SignatureRefused(f"X-Amz-Date is more than {minutes} minutes from our clock.", "signature_expired")
    return timestamp


def _body_hash(request: SentRequest) -> str:
    """That of the body which arrived; what the signer says of it can only agree."""
    body_hash = hashlib.sha256(request.body).hexdigest()
    claimed = request.headers.get("x-amz-content-sha256", body_hash)
    if not HEX_DIGEST.fullmatch(claimed):
        raise _malformed("X-Amz-Content-SHA256 has to be the SHA-256 of the body: unsigned bodies are not taken.")
    if not hmac.compare_digest(claimed, body_hash):
        raise SignatureRefused("X-Amz-Content-SHA256 is not the SHA-256 of the body.", "signature_wrong")
    return body_hash


def _has_token(request: SentRequest, key: ServiceKey) -> bool:
    given = request.headers.get("x-amz-security-token", "")
    return hmac.compare_digest(given.encode(), key.token.encode())


def _malformed(sentence: str) -> SignatureRefused:
    return SignatureRefused(sentence, "signature_malformed")


# --- What is signed --------------------------------------------------------------------------------------------------


def canonical_requests(request: SentRequest, signed: Sequence[str], service: str, body_hash: str) -> list[str]:
    """One for each form that the query may have been signed in."""
    # S3 takes the path as it was sent; all others encode it once more, so that "%2F" is signed as "%252F".
    path = request.path if service == "s3" else quote(request.path, safe=f"/{UNRESERVED}")
    headers = "".join(f"{name}:{_trimmed(request.headers[name])}\n" for name in signed)
    return [
        "\n".join((request.method, path, query, headers, ";".join(signed), body_hash))
        for query in canonical_queries(request.query)
    ]


def canonical_queries(query: str) -> set[str]:
    """Sorted: as it was sent, and encoded afresh. Signers do the one or the other, and "+" is where they differ."""
    pairs = [pair.partition("=")[::2] for pair in query.split("&")] if query else []
    afresh = [(_encoded_afresh(name), _encoded_afresh(value)) for name, value in pairs if name or value]
    return {"&".join(f"{name}={value}" for name, value in sorted(form)) for form in (pairs, afresh)}


def _encoded_afresh(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe=UNRESERVED)


def _trimmed(value: str) -> str:
    return SPACES.sub(" ", value).strip(" ")


def derive_signing_key(secret: str, scope: str) -> bytes:
    """By way of each part of the scope: date, region, service, terminator."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _signature(signing_key: bytes, timestamp: str, scope: str, canonical_request: str) -> str:
    digest = hashlib.sha256(canonical_request.encode("latin-1")).hexdigest()
    string_to_sign = "\n".join((ALGORITHM, timestamp, scope, digest))
    return hmac.digest(signing_key, string_to_sign.encode(), "sha256").hex()
