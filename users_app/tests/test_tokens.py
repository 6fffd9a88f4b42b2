import base64
import json
import time
import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient

from users_app import tokens
from users_app.models import Session, User
from users_app.tests.conftest import post

ME = "/api/v1/auth/me/"
GARBAGE = [
    "",
    " ",
    ".",
    "..",
    "a.b.c",
    "not a token",
    "é.ü.ß",
    "\ud800",
    "\x00",
    "x" * 100_000,
    "eyJhbGciOiJIUzI1NiJ9..",
    base64.urlsafe_b64encode(b"[" * 1400).decode() + ".e30.x",
    base64.urlsafe_b64encode(b'{"alg":["HS256"]}').decode().rstrip("=") + ".e30.x",
    base64.urlsafe_b64encode(b'{"alg":"HS256","crit":["x"]}').decode().rstrip("=") + ".e30.x",
]


@pytest.fixture
def session(viewer: User) -> Session:
    return Session.objects.create(user=viewer, expires_at=timezone.now() + timedelta(hours=1))


def claims_of(session: Session, **changes: Any) -> dict[str, Any]:
    """Valid access claims, but for the changes; None leaves one out."""
    claims = {
        "token_type": "access",
        "sub": str(session.user_id),
        "sid": session.pk.hex,
        "pwd": tokens.password_mark(session.user),
        "exp": int(time.time()) + 60,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], *, key: bytes | None = None, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key or tokens._signing_key("access", site.SECRET_KEY), algorithm=algorithm)


def test_a_token_says_who_and_which_session(session: Session) -> None:
    access = tokens.read_access(tokens.mint_access(session))
    refresh = tokens.read_refresh(tokens.mint_refresh(session))
    assert (access.user_id, access.session_id) == (session.user_id, session.pk)
    assert (refresh.user_id, refresh.session_id, refresh.jti) == (session.user_id, session.pk, session.current_jti)


def test_minting_the_same_refresh_token_again_gives_the_same_token(session: Session) -> None:
    assert tokens.mint_refresh(session) == tokens.mint_refresh(session)


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_no_token(garbage: str) -> None:
    for read in (tokens.read_access, tokens.read_refresh):
        with pytest.raises(tokens.BadToken) as refused:
            read(garbage)
        assert refused.value.get_codes() == "token_invalid"


def test_a_token_without_a_signature_is_refused(session: Session) -> None:
    unsigned = jwt.encode(claims_of(session), "", algorithm="none")
    with pytest.raises(tokens.BadToken):
        tokens.read_access(unsigned)


def test_a_token_of_another_algorithm_is_refused_even_with_our_key(session: Session) -> None:
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = signed(claims_of(session), algorithm="HS512")
    with pytest.raises(tokens.BadToken):
        tokens.read_access(token)


def test_a_token_signed_with_another_key_is_refused(session: Session) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.read_access(signed(claims_of(session), key=b"x" * 32))


def test_a_changed_payload_is_refused(session: Session) -> None:
    header, _, signature = tokens.mint_access(session).split(".")
    payload = json.dumps(claims_of(session, sub="1")).encode()
    forged = ".".join([header, base64.urlsafe_b64encode(payload).decode().rstrip("="), signature])
    with pytest.raises(tokens.BadToken):
        tokens.read_access(forged)


def test_each_token_serves_its_own_purpose_only(session: Session) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.read_refresh(tokens.mint_access(session))
    with pytest.raises(tokens.BadToken):
        tokens.read_access(tokens.mint_refresh(session))


def test_the_purpose_is_in_the_claims_too_and_not_in_the_key_alone(session: Session) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.read_access(signed(claims_of(session, token_type="refresh")))


def test_the_secret_itself_signs_nothing(session: Session, settings: Any) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.read_access(signed(claims_of(session), key=settings.SECRET_KEY.encode()))


@pytest.mark.parametrize("claim", ["token_type", "sub", "sid", "pwd", "exp"])
def test_a_token_without_one_of_its_claims_is_refused(claim: str, session: Session) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.read_access(signed(claims_of(session, **{claim: None})))


TEXTS = ["", "\0", "\ud800", 5, True, [], {}]
IDS = [*TEXTS, "x", "2\0", "9" * 30, str(2**63), " 2 ", "02", "+2", "-2", "1_0", "²", "２", 2.0]
UUIDS = [*TEXTS, "x" * 32, "urn:uuid:" + "0" * 32, "{" + "0" * 32 + "}", str(uuid.UUID(int=5)), "A" * 32, "0" * 31]
TIMES = [[], {}, "soon", float("inf"), float("nan")]
ODD_CLAIMS = [
    *(("sub", value) for value in IDS),
    *(("sid", value) for value in UUIDS),
    *(("jti", value) for value in UUIDS),
    *(("pwd", value) for value in TEXTS if value != ""),  # an empty text is just another password's mark
    *(("exp", value) for value in TIMES),
    *(("nbf", value) for value in TIMES),
    *(("iat", value) for value in TIMES),
]


def signed_with(token: str, purpose: tokens.TokenType, **changes: Any) -> str:
    """Returns the token with other claims and a genuine signature, whatever PyJWT thinks of the claims."""
    claims = {**jwt.decode(token, options={"verify_signature": False}), **changes}
    return jwt.PyJWS().encode(json.dumps(claims).encode(), tokens._signing_key(purpose, site.SECRET_KEY), "HS256")


@pytest.mark.parametrize(
    ("claim", "value"), ODD_CLAIMS, ids=[f"{claim}-{n}" for n, (claim, _) in enumerate(ODD_CLAIMS)]
)
def test_a_token_with_an_odd_claim_is_refused_at_every_door(
    claim: str, value: Any, admin: User, client: Client
) -> None:
    session = Session.objects.create(user=admin, expires_at=timezone.now() + timedelta(hours=1))
    refresh = signed_with(tokens.mint_refresh(session), "refresh", **{claim: value})
    access = signed_with(tokens.mint_access(session), "access", **{claim: value})
    browser = APIClient(HTTP_ORIGIN="http://testserver")
    browser.cookies["vf_refresh"] = refresh
    answers = [post(browser, "/users/refresh/"), post(APIClient(), "/users/refresh/", {"refresh_token": refresh})]
    if claim != "jti":  # an access token has none
        browser.cookies["vf_access"] = access
        answers += [browser.get(ME), APIClient(HTTP_AUTHORIZATION=f"Bearer {access}").get(ME)]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    client.cookies.load({"vf_refresh": refresh} | ({"vf_access": access} if claim != "jti" else {}))
    assert client.get("/admin/").status_code == 302
    assert post(browser, "/users/logout/").status_code == 200
    session.refresh_from_db()
    assert session.revoked_at is None


@pytest.mark.parametrize(
    "changes", [{"sub": "x"}, {"sub": 2}, {"mark": "\ud800"}, {"mark": []}, {"email": "a\0@b"}, {"email": 5}]
)
def test_a_link_with_an_odd_claim_is_no_link(changes: dict[str, Any], viewer: User) -> None:
    link = tokens.mint_link("reset", viewer, lifetime=timedelta(hours=1))
    uid = urlsafe_base64_encode(str(viewer.pk).encode())
    body = {"uid": uid, "token": signed_with(link, "reset", **changes), "new_password": "an entirely new one"}
    answer = APIClient().post("/users/reset-password/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")


def test_an_expired_token_says_so(session: Session) -> None:
    with pytest.raises(tokens.BadToken) as refused:
        tokens.read_access(signed(claims_of(session, exp=int(time.time()) - 1)))
    assert refused.value.get_codes() == "token_expired"


def test_a_secret_that_is_being_phased_out_still_verifies(session: Session, settings: Any) -> None:
    token = tokens.mint_access(session)
    settings.SECRET_KEY, former = "another-secret-for-tests-0123456789abcdef", settings.SECRET_KEY
    with pytest.raises(tokens.BadToken):
        tokens.read_access(token)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert tokens.read_access(token).session_id == session.pk


def test_the_mark_of_a_password_changes_with_it_and_does_not_show_it(session: Session) -> None:
    before = tokens.password_mark(session.user)
    session.user.set_password(uuid.uuid4().hex)
    after = tokens.password_mark(session.user)
    assert before != after
    assert after not in session.user.password
