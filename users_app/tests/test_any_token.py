"""Any text is either a token of this site for its purpose, or refused; none causes a server error."""

import base64
import json
import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as site
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from users_app.models import Session, User
from users_app.tokens import BadToken, LinkPurpose, mint_access, mint_link, mint_refresh, read_access, read_link
from users_app.tokens import _signing_key as signing_key
from users_app.tokens import read_refresh as read_refresh_token

PURPOSES: tuple[LinkPurpose, ...] = ("confirm", "reset", "new_address")
PATIENT = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ALGORITHMS = st.sampled_from(["none", "None", "HS256", "HS384", "HS512", "RS256", "ES256", "", "hs256", None, 5])


def tokens_of() -> dict[str, str]:
    """Returns a genuine token of each type."""
    user = User(pk=7, email="a@example.com", password="a-hash")
    session = Session(user=user, pk=uuid.uuid4(), expires_at=timezone.now() + timedelta(hours=1))
    links: dict[str, str] = {purpose: mint_link(purpose, user, lifetime=timedelta(hours=1)) for purpose in PURPOSES}
    return {"access": mint_access(session), "refresh": mint_refresh(session), **links}


def read(purpose: str, token: str) -> Any:
    if purpose == "access":
        return read_access(token)
    return read_refresh_token(token) if purpose == "refresh" else read_link(purpose, token)  # type: ignore[arg-type]


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("purpose", ["access", "refresh", *PURPOSES])
@PATIENT
@given(text=st.text() | st.text(alphabet="ey.-_AJ0=", max_size=200))
def test_any_text_is_refused(purpose: str, text: str) -> None:
    with pytest.raises(BadToken):
        read(purpose, text)


@pytest.mark.parametrize("purpose", ["access", "refresh", *PURPOSES])
@pytest.mark.parametrize("other", ["access", "refresh", *PURPOSES])
def test_a_token_works_for_its_own_purpose_only(purpose: str, other: str) -> None:
    token = tokens_of()[other]
    if purpose == other:
        assert read(purpose, token).user_id == 7
    else:
        with pytest.raises(BadToken):
            read(purpose, token)


@PATIENT
@given(position=st.integers(min_value=0, max_value=10_000), character=st.sampled_from("ABab01-_."))
def test_a_changed_letter_is_refused_unless_it_means_the_same_signature(position: int, character: str) -> None:
    token = tokens_of()["access"]
    index = position % len(token)
    changed = token[:index] + character + token[index + 1 :]
    try:
        claims = read_access(changed)
    except BadToken:
        return
    # The last letter of a signature has unused bits, so two letters may mean the same signature.
    assert changed == token or index == len(token) - 1
    assert claims.user_id == 7


@PATIENT
@given(algorithm=ALGORITHMS, claims=st.dictionaries(st.text(), JSON, max_size=4), signature=st.binary(max_size=40))
def test_a_made_up_token_of_any_algorithm_is_refused(algorithm: Any, claims: dict[str, Any], signature: bytes) -> None:
    genuine = jwt.decode(tokens_of()["access"], options={"verify_signature": False})
    for payload in (claims, {**genuine, **claims}, genuine):
        token = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(payload)}."
        for end in ("", base64.urlsafe_b64encode(signature).decode().rstrip("=")):
            with pytest.raises(BadToken):
                read_access(token + end)


@PATIENT
@given(claims=st.fixed_dictionaries({}, optional=dict.fromkeys(("sub", "sid", "pwd", "exp", "token_type"), JSON)))
def test_a_token_signed_with_another_secret_is_refused(claims: dict[str, Any]) -> None:
    payload = {**jwt.decode(tokens_of()["access"], options={"verify_signature": False}), **claims}
    payload = {name: value for name, value in payload.items() if name != "exp" or isinstance(value, int)}
    for key in (site.SECRET_KEY, "", "0" * 64):
        try:
            token = jwt.encode(payload, key or "x" * 32, algorithm="HS256")
        except (TypeError, ValueError, jwt.PyJWTError):
            continue
        with pytest.raises(BadToken):
            read_access(token)


@pytest.mark.parametrize("purpose", ["access", "refresh", *PURPOSES])
@PATIENT
@given(claim=st.sampled_from(("sub", "sid", "jti", "pwd", "mark", "email", "exp", "nbf", "iat", "aud")), value=JSON)
def test_a_genuine_signature_does_not_make_any_claim_usable(purpose: Any, claim: str, value: Any) -> None:
    genuine = jwt.decode(tokens_of()[purpose], options={"verify_signature": False})
    payload = json.dumps({**genuine, claim: value}).encode()
    token = jwt.PyJWS().encode(payload, signing_key(purpose, site.SECRET_KEY), "HS256")
    try:
        claimed = read(purpose, token)
    except BadToken:
        return
    for name in ("user_id", "session_id", "jti", "password_mark", "account_mark", "email"):
        str(getattr(claimed, name, "")).encode()  # no lone surrogates
