"""Tokens of a user pool, signed with keys of the tests and verified with a key set from a server of the tests."""

import base64
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from background.refusals import Kind
from users_app.cognito import public_keys
from users_app.cognito.faults import PoolUnavailable
from users_app.cognito.tokens import Identity, read_access, read_id
from users_app.cognito.user_pool import UserPool
from users_app.tokens import BadToken

NOW = int(datetime.now(UTC).timestamp())  # the time of collection; the tests may run much later
DAY = 24 * 3600
SUB = "7a1b2c3d-0000-4000-8000-000000000001"
SIGN_IN = "7a1b2c3d-0000-4000-8000-00000000000f"
OLD, NEW, STRANGER = (generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3))


def jwk_of(key: RSAPrivateKey, key_id: str, **changes: Any) -> dict[str, Any]:
    return {
        **RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
        "kid": key_id,
        "alg": "RS256",
        "use": "sig",
        **changes,
    }


class KeyServer:
    """Answers each request with `body`, and counts them."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""
        self.count = 0
        self.has: dict[str, str] = {}
        self.pieces_wait: threading.Event | None = None
        self.publish(jwk_of(OLD, "old"))
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.count += 1
                self.send_response(server.status)
                for name, value in server.has.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(server.body)))
                self.end_headers()
                self.wfile.write(server.body[:1])
                if server.pieces_wait is not None:
                    server.pieces_wait.wait(30)
                self.wfile.write(server.body[1:])

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/pool/.well-known/jwks.json"

    def publish(self, *keys: dict[str, Any]) -> None:
        self.body = json.dumps({"keys": keys}).encode()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    server = KeyServer()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def pool(server: KeyServer) -> UserPool:
    public_keys.keys_of.cache_clear()
    return UserPool("eu-central-1_AbC", "client", "secret", jwks_url=server.url, timeout_s=2)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(public_keys, "monotonic", clock)
    for module in ("jwt.api_jwk", "jwt.jwk_set_cache"):  # PyJWT measures the age of the keys by this clock
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=clock))
    return clock


def claims_of(pool: UserPool, use: str = "access", **changes: Any) -> dict[str, Any]:
    """Returns valid claims for this use, but for the changes; `...` leaves a claim out."""
    own: dict[str, dict[str, Any]] = {
        "access": {"client_id": pool.client_id, "username": "somebody", "origin_jti": SIGN_IN, "jti": SIGN_IN},
        "id": {"aud": pool.client_id, "email": "somebody@example.com", "email_verified": True, "name": "Somebody"},
    }
    same = {"iss": pool.issuer, "sub": SUB, "token_use": use, "iat": NOW, "exp": NOW + DAY}
    return {name: value for name, value in {**same, **own[use], **changes}.items() if value is not ...}


def sign(claims: dict[str, Any], key: Any = OLD, key_id: Any = "old", algorithm: str = "RS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id} if key_id is not None else {})


def code_of(read: Callable[[UserPool, str], Any], pool: UserPool, token: str) -> Any:
    with pytest.raises(BadToken) as caught:
        read(pool, token)
    assert caught.value.status_code == 401
    return caught.value.get_codes()


# --- Accepted tokens -------------------------------------------------------------------------------------------------


def test_the_issuer_and_the_keys_follow_from_the_id_of_the_pool() -> None:
    pool = UserPool("eu-central-1_AbC", "client", "secret")
    assert pool.issuer == "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC"
    assert pool.keys_url == f"{pool.issuer}/.well-known/jwks.json"
    assert (
        UserPool("cn-north-1_AbC", "a", "b").issuer == "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbC"
    )
    assert "secret" not in repr(pool)


def test_an_access_token_names_user_and_sign_in(pool: UserPool) -> None:
    claims = read_access(pool, sign(claims_of(pool)))
    assert (claims.sub, claims.username, str(claims.session_id)) == (SUB, "somebody", SIGN_IN)
    assert claims.expires_at == datetime.fromtimestamp(NOW + DAY, UTC)


def test_an_access_token_may_have_the_audience_of_a_resource_server(pool: UserPool) -> None:
    assert read_access(pool, sign(claims_of(pool, aud="https://videos.example.com"))).sub == SUB


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Identity(SUB, "somebody@example.com", True, "Somebody")),
        ({"email_verified": "true"}, Identity(SUB, "somebody@example.com", True, "Somebody")),
        ({"email_verified": "false"}, Identity(SUB, "somebody@example.com", False, "Somebody")),
        ({"email_verified": 1}, Identity(SUB, "somebody@example.com", True, "Somebody")),
        ({"email_verified": ..., "name": ...}, Identity(SUB, "somebody@example.com", False, "")),
        ({"email": ...}, Identity(SUB, "", True, "Somebody")),
    ],
)
def test_an_id_token_says_what_the_pool_vouches_for(
    changes: dict[str, Any], expected: Identity, pool: UserPool
) -> None:
    assert read_id(pool, sign(claims_of(pool, "id", **changes))) == expected


@pytest.mark.parametrize("seconds", [-5, 0])
def test_clocks_may_differ_a_little(seconds: int, pool: UserPool) -> None:
    assert read_access(pool, sign(claims_of(pool, exp=int(datetime.now(UTC).timestamp()) + seconds))).sub == SUB


# --- Refused tokens --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other"},
        {"iss": "https://evil.example/eu-central-1_AbC"},
        {"client_id": "another"},
        {"token_use": "id"},
        {"token_use": "refresh"},
        {"token_use": ["access"]},
        *({name: ...} for name in ("iss", "client_id", "token_use", "sub", "username", "origin_jti", "exp")),
        {"sub": ""},
        {"sub": "x" * 65},
        {"sub": 7},
        {"username": "x" * 129},
        {"username": {}},
        {"origin_jti": "no id"},
        {"origin_jti": 7},
        {"exp": "soon"},
        {"exp": 10**30},
        {"iat": NOW + 30 * DAY},
        {"nbf": NOW + 30 * DAY},
    ],
    ids=str,
)
def test_an_access_token_with_other_claims_is_refused(changes: dict[str, Any], pool: UserPool) -> None:
    assert code_of(read_access, pool, sign(claims_of(pool, **changes))) == "token_invalid"


def test_an_expired_token_says_so(pool: UserPool) -> None:
    for read, use in ((read_access, "access"), (read_id, "id")):
        assert code_of(read, pool, sign(claims_of(pool, use, exp=NOW - 3600))) == "token_expired"


def test_id_tokens_and_access_tokens_are_not_interchangeable(pool: UserPool) -> None:
    assert code_of(read_access, pool, sign(claims_of(pool, "id"))) == "token_invalid"
    assert code_of(read_access, pool, sign(claims_of(pool, "id", client_id=pool.client_id))) == "token_invalid"
    assert code_of(read_id, pool, sign(claims_of(pool))) == "token_invalid"
    assert code_of(read_id, pool, sign(claims_of(pool, "id", aud="another"))) == "token_invalid"


def test_a_token_signed_with_a_stranger_s_key_is_refused(pool: UserPool) -> None:
    assert code_of(read_access, pool, sign(claims_of(pool), STRANGER)) == "token_invalid"


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(pool: UserPool) -> None:
    pem = OLD.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    header = {"kid": "old", "typ": "JWT", "alg": "HS256"}
    content = ".".join(part(json.dumps(value).encode()) for value in (header, claims_of(pool)))
    token = f"{content}.{part(hmac.digest(pem, content.encode(), 'sha256'))}"
    assert code_of(read_access, pool, token) == "token_invalid"


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512", "PS256", "ES256", "", None, ["RS256"]])
def test_another_algorithm_is_refused_before_any_key_is_fetched(
    algorithm: Any, pool: UserPool, server: KeyServer
) -> None:
    header = {"kid": "old", "typ": "JWT", "alg": algorithm}
    content = ".".join(part(json.dumps(value).encode()) for value in (header, claims_of(pool)))
    for signature in ("", part(b"x" * 256)):
        assert code_of(read_access, pool, f"{content}.{signature}") == "token_invalid"
    assert server.count == 0


GARBAGE = [
    *("", "garbage", "a.b.c", "..", "é.é.é", "\ud800", "\x00", "null", "x" * 5000, "eyJ9." * 3),
    f"{part(b'[' * 2000)}.a.b",
    f"{part(b'{}')}.a.b",
    f"{part(b'[]')}.a.b",
    f"{part(b'null')}.a.b",
    f"{part(json.dumps({'alg': 'RS256', 'kid': {}}).encode())}.a.b",
    f"{part(json.dumps({'alg': 'RS256', 'kid': 'k' * 300}).encode())}.a.b",
    f"{part(json.dumps({'alg': 'RS256', 'kid': 'old', 'crit': ['b64'], 'b64': False}).encode())}.a.b",
]


@pytest.mark.parametrize("token", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_no_token(token: str, pool: UserPool) -> None:
    for read in (read_access, read_id):
        assert code_of(read, pool, token) == "token_invalid"


def test_a_token_longer_than_a_cookie_is_not_decoded(pool: UserPool, server: KeyServer) -> None:
    assert code_of(read_access, pool, sign(claims_of(pool, scope="x" * 4096))) == "token_invalid"
    assert server.count == 0


def test_a_token_without_a_key_id_is_refused(pool: UserPool, server: KeyServer) -> None:
    assert code_of(read_access, pool, sign(claims_of(pool), key_id=None)) == "token_invalid"
    assert server.count == 0


# --- Keys ------------------------------------------------------------------------------------------------------------


def test_the_keys_are_fetched_once_for_any_number_of_tokens(pool: UserPool, server: KeyServer) -> None:
    for _ in range(20):
        read_access(pool, sign(claims_of(pool)))
    assert server.count == 1


def test_a_new_key_is_fetched_when_its_first_token_comes(pool: UserPool, server: KeyServer, clock: Clock) -> None:
    read_access(pool, sign(claims_of(pool)))
    server.publish(jwk_of(OLD, "old"), jwk_of(NEW, "new"))
    clock.now += public_keys.PAUSE_S
    assert read_access(pool, sign(claims_of(pool), NEW, "new")).sub == SUB
    assert read_access(pool, sign(claims_of(pool))).sub == SUB
    assert server.count == 2


def test_a_withdrawn_key_is_accepted_for_an_hour_at_most(pool: UserPool, server: KeyServer, clock: Clock) -> None:
    read_access(pool, sign(claims_of(pool)))
    server.publish(jwk_of(NEW, "new"))
    clock.now += public_keys.STALE_S
    assert read_access(pool, sign(claims_of(pool))).sub == SUB
    clock.now += 1
    assert code_of(read_access, pool, sign(claims_of(pool))) == "token_invalid"
    assert server.count == 2


def test_a_flood_of_made_up_key_ids_causes_no_flood_of_requests(
    pool: UserPool, server: KeyServer, clock: Clock
) -> None:
    for number in range(300):
        assert code_of(read_access, pool, sign(claims_of(pool), STRANGER, f"made-up-{number}")) == "token_invalid"
    assert server.count == 1
    assert read_access(pool, sign(claims_of(pool))).sub == SUB
    clock.now += public_keys.PAUSE_S
    for number in range(300):
        code_of(read_access, pool, sign(claims_of(pool), STRANGER, f"again-{number}"))
    assert server.count == 2


def test_many_threads_fetch_once(pool: UserPool, server: KeyServer) -> None:
    token, subs = sign(claims_of(pool)), []
    barrier = threading.Barrier(8)

    def read() -> None:
        barrier.wait()
        subs.append(read_access(pool, token).sub)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert subs == [SUB] * 8
    assert server.count == 1


def test_known_keys_stay_valid_while_none_can_be_fetched(pool: UserPool, server: KeyServer, clock: Clock) -> None:
    read_access(pool, sign(claims_of(pool)))
    server.status = 503
    for _ in range(5):
        clock.now += public_keys.STALE_S + 1
        assert read_access(pool, sign(claims_of(pool))).sub == SUB
        assert read_access(pool, sign(claims_of(pool))).sub == SUB
    assert server.count == 1 + 5
    with pytest.raises(PoolUnavailable):  # the key may be a new one, so the user is not signed out
        read_access(pool, sign(claims_of(pool), NEW, "new"))
    assert server.count == 1 + 5
    server.status = 200
    server.publish(jwk_of(NEW, "new"))
    clock.now += public_keys.PAUSE_S
    assert read_access(pool, sign(claims_of(pool), NEW, "new")).sub == SUB


def test_a_request_whose_key_is_known_does_not_wait_for_a_fetch(
    pool: UserPool, server: KeyServer, clock: Clock
) -> None:
    read_access(pool, sign(claims_of(pool)))
    clock.now += public_keys.STALE_S + 1
    with public_keys.keys_of(pool.keys_url, pool.timeout_s).lock:  # held as by another thread that is fetching
        assert read_access(pool, sign(claims_of(pool))).sub == SUB
    assert server.count == 1


def test_without_any_key_no_token_is_refused_for_good(pool: UserPool, server: KeyServer, clock: Clock) -> None:
    server.status = 500
    for _ in range(3):
        with pytest.raises(PoolUnavailable) as caught:
            read_access(pool, sign(claims_of(pool)))
        assert (caught.value.kind, caught.value.code) == (Kind.UNAVAILABLE, "identity_provider_unavailable")
    assert server.count == 1
    server.status = 200
    clock.now += public_keys.PAUSE_S
    assert read_access(pool, sign(claims_of(pool))).sub == SUB


def test_an_unreachable_key_server_makes_the_pool_unavailable(pool: UserPool) -> None:
    nowhere = UserPool(pool.id, pool.client_id, "secret", jwks_url="http://127.0.0.1:1/keys")
    with pytest.raises(PoolUnavailable):
        read_access(nowhere, sign(claims_of(pool)))


UNUSABLE = [
    *(b"", b"{", b"null", b"[]", b'"keys"', b"{}", b'{"keys": null}', b'{"keys": {"old": 1}}', b'{"keys": [null, 7]}'),
    *(b"[" * 20_000, b"\xff\xfe", b" " * (public_keys.MAX_BYTES + 1)),
    json.dumps({"keys": [jwk_of(OLD, "old", use="enc")]}).encode(),
    json.dumps({"keys": [jwk_of(OLD, "old", alg="RS512")]}).encode(),
    json.dumps({"keys": [jwk_of(OLD, "old", kty="oct", k="c2VjcmV0")]}).encode(),
    json.dumps({"keys": [{"kty": "RSA", "kid": "old"}]}).encode(),
    json.dumps({"keys": [jwk_of(OLD, "old", n="!")]}).encode(),
    json.dumps({"keys": [jwk_of(OLD, "old", n=7)]}).encode(),
    json.dumps({"keys": [{**RSAAlgorithm.to_jwk(OLD, as_dict=True), "kid": "old"}]}).encode(),
    json.dumps({"keys": [jwk_of(generate_private_key(public_exponent=65537, key_size=1024), "old")]}).encode(),  # noqa: S505 - too small on purpose
]


@pytest.mark.parametrize("body", UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_document_without_a_usable_key_does_not_replace_known_keys(
    body: bytes, pool: UserPool, server: KeyServer, clock: Clock
) -> None:
    read_access(pool, sign(claims_of(pool)))
    server.body = body
    clock.now += public_keys.STALE_S + 1
    assert read_access(pool, sign(claims_of(pool))).sub == SUB
    assert server.count == 2


def test_a_key_that_cannot_be_read_does_not_spoil_the_others(pool: UserPool, server: KeyServer) -> None:
    server.publish({"kty": "RSA", "kid": "broken"}, {"kty": "EC", "kid": "other"}, jwk_of(OLD, "old"))
    assert read_access(pool, sign(claims_of(pool))).sub == SUB


def test_redirects_of_a_key_server_are_not_followed(pool: UserPool, server: KeyServer) -> None:
    server.status, server.has = 302, {"Location": server.url}
    with pytest.raises(PoolUnavailable):
        read_access(pool, sign(claims_of(pool)))
    assert server.count == 1


def test_a_key_server_that_does_not_finish_its_answer_is_given_up(pool: UserPool, server: KeyServer) -> None:
    server.pieces_wait = threading.Event()
    hurried = UserPool(pool.id, pool.client_id, "secret", jwks_url=server.url, timeout_s=0.1)
    with pytest.raises(PoolUnavailable):
        read_access(hurried, sign(claims_of(pool)))
    server.pieces_wait.set()


def test_a_key_server_that_sends_slowly_is_given_up_after_the_timeout(clock: Clock) -> None:
    class Dripping:
        def read1(self, _: int) -> bytes:
            clock.now += 1
            return b" "

    with pytest.raises(ValueError, match="in time"):
        list(public_keys.pieces_of(Dripping(), deadline=clock.now + 5))  # type: ignore[arg-type]  # as far as it is used
