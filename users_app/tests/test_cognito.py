"""Accounts that a user pool keeps: the routes of signing in over HTTP against moto's Cognito."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from django.core.signing import Signer
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD as LOCAL_PASSWORD
from tests.cognito import Cognito, Pool, PoolAnswer, aws_error, make_pool, running_cognito
from users_app.cognito import people
from users_app.cognito import pool_api as asking
from users_app.cognito.faults import PoolUnavailable
from users_app.cognito.public_keys import keys_of
from users_app.cognito.refresh_token import Renewal, unwrap, wrap
from users_app.limits.counters import counters
from users_app.models import AuditEntry, Session, User
from users_app.roles import Role
from users_app.services.sessions import open_session
from users_app.tests.mailbox import deliver
from users_app.tests.test_login import BAD_BODIES

PERSON = "somebody@example.com"
PASSWORD = "Correct-horse-1"
ME = "/api/v1/auth/me/"
LOGIN = "/users/login/"
CREDENTIALS = {"email": PERSON, "password": PASSWORD}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[Cognito]:
    with running_cognito() as cognito:
        yield cognito


@pytest.fixture(scope="module")
def pools(server: Cognito) -> dict[bool, Pool]:
    """Two pools, by `by_address`: usernames are the addresses (False), or ids that addresses stand for (True)."""
    return {by_address: make_pool(server, by_address=by_address) for by_address in (False, True)}


@pytest.fixture
def pool(pools: dict[bool, Pool], settings: Any) -> Pool:
    return use(pools[False], settings)


@pytest.fixture
def pool_by_address(pools: dict[bool, Pool], settings: Any) -> Pool:
    return use(pools[True], settings)


def use(pool: Pool, settings: Any) -> Pool:
    settings.USER_POOL = pool.settings
    pool.cognito.be_normal()
    pool.be_empty()
    pool.cognito.asked.clear()
    return pool


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between the attempts of one request."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))


def post(client: APIClient, route: str, body: Any = None) -> Any:
    return client.post(route, body or {}, format="json")


def in_browser(**body: Any) -> APIClient:
    """A browser whose user has signed in."""
    browser = APIClient(HTTP_ORIGIN="http://testserver")
    response = post(browser, LOGIN, {**CREDENTIALS, **body})
    assert response.status_code == 200, response.json()
    return browser


def sign_in_as(email: str) -> Any:
    return post(APIClient(HTTP_ORIGIN="http://testserver"), LOGIN, {"email": email, "password": PASSWORD})


def code_of(response: Any, status: int) -> str:
    assert response.status_code == status, response.content
    return str(response.json()["code"])


def hash_of(pool: Pool, username: str) -> str:
    """The secret hash, computed as AWS documents it."""
    message = (username + pool.settings.client_id).encode("utf-8")
    digest = hmac.new(pool.settings.client_secret.encode("utf-8"), message, digestmod=hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def renewal_in(client: APIClient, pool: Pool) -> Renewal:
    return unwrap(pool.settings, client.cookies["vf_refresh"].value)


# --- From registration to sign-out -----------------------------------------------------------------------------------


def test_a_person_registers_confirms_signs_in_refreshes_and_signs_out(pool: Pool, browser: APIClient) -> None:
    form = {**CREDENTIALS, "confirm_password": PASSWORD, "name": "Some Body", "phone": "0170 1", "address": "Here"}
    registered = post(browser, "/users/register/", form)
    assert (registered.status_code, registered.json()) == (201, {"email": PERSON})
    assert code_of(post(browser, LOGIN, CREDENTIALS), 400) == "invalid_credentials"

    confirmed = post(browser, "/api/v1/auth/verify-email/", {"email": PERSON, "otp": "123456"})
    assert confirmed.json() == {"detail": "Your address is confirmed. You can sign in now."}
    pool.verify(PERSON)

    signed_in = post(browser, LOGIN, CREDENTIALS)
    person = {"email": PERSON, "username": PERSON, "name": "Some Body", "phone": "0170 1", "address": "Here"}
    user = User.objects.get()
    assert signed_in.json() == {"id": user.pk, **person, "role": "VIEWER", "favorite_videos": []}
    me = {"id": user.pk, "email": PERSON, "name": "Some Body", "role": "VIEWER", "email_verified": True}
    assert browser.get(ME).json() == me

    before = {name: morsel.value for name, morsel in browser.cookies.items()}
    assert post(browser, "/users/refresh/").json() == {"detail": "Refreshed."}
    assert browser.cookies["vf_access"].value != before["vf_access"]
    assert browser.get(ME).json() == me

    token = renewal_in(browser, pool).token
    kept = {name: morsel.value for name, morsel in browser.cookies.items()}
    left = post(browser, "/users/logout/")
    assert (left.status_code, left.json()) == (200, {"detail": "Signed out."})
    assert [(morsel.value, morsel["max-age"]) for morsel in left.cookies.values()] == [("", 0), ("", 0)]
    (revoked,) = pool.cognito.parameters("RevokeToken")
    assert revoked["Token"] == token
    for access in (before["vf_access"], kept["vf_access"]):
        browser.cookies["vf_access"] = access
        assert code_of(browser.get(ME), 401) == "session_ended"
    browser.cookies["vf_refresh"] = kept["vf_refresh"]
    assert code_of(post(browser, "/users/refresh/"), 401) == "session_ended"


def test_a_program_signs_in_refreshes_and_signs_out_by_bearer_token(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    program = APIClient()
    response = post(program, "/api/v1/auth/token/", CREDENTIALS)
    tokens = response.json()
    assert (response.status_code, set(tokens)) == (200, {"access_token", "refresh_token", "token_type"})
    assert not response.cookies
    refreshed = post(program, "/api/v1/auth/refresh/", {"refresh_token": tokens["refresh_token"]})
    assert set(refreshed.json()) == {"detail", "access_token", "refresh_token", "token_type"}
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {refreshed.json()['access_token']}")
    assert program.get(ME).json()["email"] == PERSON
    assert post(program, "/api/v1/auth/logout/").status_code == 200
    assert code_of(program.get(ME), 401) == "session_ended"
    assert code_of(post(program, "/api/v1/auth/refresh/", {"refresh_token": tokens["refresh_token"]}), 401)
    assert pool.cognito.parameters("RevokeToken") == []  # no request named a refresh token


def test_a_program_signs_out_by_its_refresh_token(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    tokens = post(APIClient(), "/api/v1/auth/token/", CREDENTIALS).json()
    assert post(APIClient(), "/api/v1/auth/logout/", {"refresh_token": tokens["refresh_token"]}).status_code == 200
    bearer = f"Bearer {tokens['access_token']}"
    assert code_of(APIClient().get(ME, HTTP_AUTHORIZATION=bearer), 401) == "session_ended"


def test_signing_out_ends_what_either_token_names(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    one, other = (post(APIClient(), "/api/v1/auth/token/", CREDENTIALS).json() for _ in range(2))
    bearers = [f"Bearer {tokens['access_token']}" for tokens in (one, other)]
    body = {"refresh_token": other["refresh_token"]}
    APIClient().post("/users/logout/", body, format="json", HTTP_AUTHORIZATION=bearers[0])
    for bearer in bearers:
        assert code_of(APIClient().get(ME, HTTP_AUTHORIZATION=bearer), 401) == "session_ended"


def test_signing_out_ends_one_sign_in_of_several(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    here, elsewhere = in_browser(), in_browser()
    post(here, "/users/logout/")
    assert elsewhere.get(ME).status_code == 200
    assert post(elsewhere, "/users/refresh/").status_code == 200


def test_a_request_of_a_signed_in_person_asks_the_pool_nothing_and_the_database_once(
    pool: Pool, django_assert_num_queries: Any
) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    pool.cognito.asked.clear()
    for _ in range(3):
        with django_assert_num_queries(1):
            assert browser.get(ME).status_code == 200
    assert pool.cognito.asked == []


def test_the_other_routes_cost_few_queries(pool: Pool, django_assert_max_num_queries: Any) -> None:
    pool.add(PERSON, PASSWORD)
    for _ in range(3):
        browser = in_browser()
    # find the person; begin, drop expired sign-ins, add this one, note the time, commit; favourites, the audit trail;
    # and a transaction around the first
    with django_assert_max_num_queries(10):
        in_browser()
    with django_assert_max_num_queries(2):
        assert post(browser, "/users/refresh/").status_code == 200
    with django_assert_max_num_queries(3):  # end the session, find its user, the audit trail
        assert post(browser, "/users/logout/").status_code == 200


# --- Cookies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("remember", "seconds"), [(False, 3600), (True, 7 * 24 * 3600)])
def test_cookies_live_as_long_as_their_tokens(remember: bool, seconds: int, pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser(remember=remember)
    for _ in range(2):
        access, refresh = (browser.cookies[name] for name in ("vf_access", "vf_refresh"))
        assert 3590 <= access["max-age"] <= 3600  # the lifetime of moto's tokens
        assert 3590 <= refresh["max-age"] - seconds <= 3600  # counted from the end of the access token
        for cookie in (access, refresh):
            assert (cookie["httponly"], cookie["path"], cookie["samesite"]) == (True, "/", "Lax")
        assert post(browser, "/users/refresh/").status_code == 200


def test_a_sign_in_that_was_not_used_for_long_has_ended(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    Session.objects.update(expires_at=timezone.now())
    assert code_of(post(browser, "/users/refresh/"), 401) == "session_ended"
    in_browser()
    assert Session.objects.count() == 1  # the expired session has been removed


def test_the_refresh_cookie_is_not_the_token_of_the_pool_and_cannot_be_made_up(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    own = browser.cookies["vf_refresh"].value
    renewal = unwrap(pool.settings, own)
    session_id, username, token, signature = own.split(":")
    other_user = base64.urlsafe_b64encode(b"admin@example.com").decode().rstrip("=")
    others = replace(pool.settings, client_id="another")
    forged = [
        token,
        f"{session_id}:{username}:{token}",
        f"{session_id}:{other_user}:{token}:{signature}",
        f"{session_id}:{username}:{token}x:{signature}",
        wrap(others, renewal),
        Signer().sign(f"{session_id}:{username}:{token}"),
        "",
        ":::",
        "é:x",
        own + "x" * 4096,
    ]
    pool.cognito.asked.clear()
    for value in forged:
        browser.cookies["vf_refresh"] = value
        assert code_of(post(browser, "/users/refresh/"), 401) in {"token_invalid", "not_authenticated"}
    assert pool.cognito.asked == []
    browser.cookies["vf_refresh"] = own
    assert post(browser, "/users/refresh/").status_code == 200


def test_a_refresh_token_as_long_as_those_of_amazon_fits_into_cookie_and_body(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    renewal = replace(renewal_in(browser, pool), token="e" * 2200, username="u" * 128)
    wrapped = wrap(pool.settings, renewal)
    assert len(wrapped) < 4096 - len("vf_refresh=")
    assert unwrap(pool.settings, wrapped) == renewal
    with pytest.raises(PoolUnavailable):
        wrap(pool.settings, replace(renewal, token="e" * 4000))
    pool.cognito.answer_with("InitiateAuth", aws_error("NotAuthorizedException", "Refresh Token has expired"))
    pool.cognito.answer_with(
        "GetTokensFromRefreshToken", aws_error("NotAuthorizedException", "Refresh Token has expired")
    )
    body = post(APIClient(), "/users/refresh/", {"refresh_token": wrapped})
    assert code_of(body, 401) == "session_ended"


def test_tokens_of_the_site_and_of_the_pool_are_not_interchangeable(pool: Pool, settings: Any, viewer: User) -> None:
    local = open_session(user=viewer)
    assert code_of(APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {local.access}"), 401) == "token_invalid"
    assert code_of(post(APIClient(), "/users/refresh/", {"refresh_token": local.refresh}), 401) == "token_invalid"
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    settings.USER_POOL = None
    assert code_of(browser.get(ME), 401) == "token_invalid"
    assert code_of(post(browser, "/users/refresh/"), 401) == "token_invalid"


def test_cookies_from_pages_of_other_sites_are_refused(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    for route in (LOGIN, "/users/refresh/", "/users/logout/"):
        response = browser.post(route, CREDENTIALS, format="json", HTTP_ORIGIN="https://evil.example")
        assert code_of(response, 403) == "cross_site"
    assert browser.get(ME).status_code == 200


# --- Registering -----------------------------------------------------------------------------------------------------


def test_a_taken_address_is_answered_like_a_free_one_and_gets_its_code_again(pool: Pool) -> None:
    body = {**CREDENTIALS, "name": "First", "phone": "1"}
    first = post(APIClient(), "/api/v1/auth/register/", body)
    second = post(APIClient(), "/api/v1/auth/register/", {**body, "name": "Second", "phone": "2"})
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json() == {"email": PERSON}
    (again,) = pool.cognito.parameters("ResendConfirmationCode")
    assert (again["Username"], again["SecretHash"]) == (PERSON, hash_of(pool, PERSON))
    user = User.objects.get()
    assert (user.name, user.phone, user.is_active, user.awaits_confirmation) == ("First", "1", False, True)


def test_the_owner_of_a_taken_address_gets_a_notice(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    in_browser()
    pool.cognito.answer_with(
        "ResendConfirmationCode", aws_error("InvalidParameterException", "User is already confirmed.")
    )
    assert post(APIClient(), "/api/v1/auth/register/", CREDENTIALS).status_code == 201
    assert [(mail.to, mail.subject) for mail in deliver()] == [(PERSON, "You already have an account")]


@pytest.mark.parametrize(
    "answer",
    [
        aws_error("InvalidParameterException", "User is already confirmed."),
        aws_error("TooManyRequestsException"),
        aws_error("LimitExceededException"),
        aws_error("InternalErrorException", status=500),
    ],
    ids=lambda said: said.body["__type"],
)
def test_a_failure_to_send_the_code_again_is_not_shown(answer: PoolAnswer, pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    pool.cognito.answer_with("ResendConfirmationCode", answer)
    response = post(APIClient(), "/api/v1/auth/register/", CREDENTIALS)
    assert (response.status_code, response.json()) == (201, {"email": PERSON})


def test_registering_leaves_an_account_that_is_in_use_as_it_is(pool: Pool, viewer: User) -> None:
    response = post(
        APIClient(), "/api/v1/auth/register/", {"email": viewer.email, "password": PASSWORD, "name": "Evil"}
    )
    assert response.status_code == 201
    before = (viewer.name, viewer.password)
    viewer.refresh_from_db()
    assert (viewer.name, viewer.password, viewer.cognito_sub) == (*before, None)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "The provided password does not confirm to the configured password policy"),
        (
            aws_error(
                "InvalidPasswordException",
                "Password did not conform with policy: Password must have uppercase characters",
            ),
            "Password must have uppercase characters",
        ),
        (aws_error("InvalidPasswordException"), "The identity provider does not take this password."),
        (
            aws_error(
                "InvalidParameterException", "1 validation error detected: Value at 'password' failed to satisfy …"
            ),
            "The identity provider does not take this password.",
        ),
    ],
    ids=range(4),
)
def test_a_password_that_is_not_good_enough_has_its_sentence(
    answer: PoolAnswer | None, sentence: str, pool: Pool
) -> None:
    if answer:
        pool.cognito.answer_with("SignUp", answer)
    response = post(APIClient(), "/api/v1/auth/register/", {**CREDENTIALS, "password": "short"})
    assert response.status_code == 400
    assert response.json() == {"password": [sentence], "code": "invalid"}
    assert not User.objects.exists()


def test_an_address_that_the_pool_refuses_has_its_sentence(pool: Pool) -> None:
    pool.cognito.answer_with(
        "SignUp", aws_error("InvalidParameterException", "Value at 'username' failed to satisfy constraint: …")
    )
    response = post(APIClient(), "/api/v1/auth/register/", CREDENTIALS)
    assert response.json() == {"email": ["The identity provider does not take this address."], "code": "invalid"}


def test_a_registration_that_a_trigger_of_the_pool_refuses_is_a_400(pool: Pool) -> None:
    pool.cognito.answer_with(
        "SignUp", aws_error("UserLambdaValidationException", "PreSignUp failed with error not invited.")
    )
    assert code_of(post(APIClient(), "/api/v1/auth/register/", CREDENTIALS), 400) == "registration_refused"


def test_mails_to_one_address_are_limited_by_this_site(pool: Pool) -> None:
    answers = [post(APIClient(), "/api/v1/auth/register/", CREDENTIALS) for _ in range(7)]
    assert [answer.status_code for answer in answers[-2:]] == [429, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert len(pool.cognito.parameters("SignUp")) == 5


@pytest.mark.parametrize(
    "code",
    [
        "CodeMismatchException",
        "ExpiredCodeException",
        "UserNotFoundException",
        "NotAuthorizedException",
        "AliasExistsException",
        "InvalidParameterException",
    ],
)
def test_every_refused_code_looks_the_same(code: str, pool: Pool) -> None:
    pool.cognito.answer_with("ConfirmSignUp", aws_error(code, "User cannot be confirmed. Current status is CONFIRMED"))
    response = post(APIClient(), "/api/v1/auth/verify-email/", {"email": PERSON, "otp": "123456"})
    assert code_of(response, 400) == "invalid_code"
    (asked,) = pool.cognito.parameters("ConfirmSignUp")
    expected = {"Username": PERSON, "ConfirmationCode": "123456", "SecretHash": hash_of(pool, PERSON)}
    assert asked == {"ClientId": pool.settings.client_id, **expected}


def test_an_address_has_one_spelling_everywhere(pool: Pool) -> None:
    body = {"email": " SOMEBODY@Example.com", "password": PASSWORD}
    assert post(APIClient(), "/api/v1/auth/register/", body).json() == {"email": PERSON}
    post(APIClient(), "/api/v1/auth/verify-email/", {"email": body["email"], "otp": "1"})
    pool.verify(PERSON)
    assert post(APIClient(), LOGIN, body).status_code == 200


# --- Signing in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", [LOGIN, "/api/v1/auth/token/"])
@pytest.mark.parametrize(
    "case", ["wrong password", "unknown", "unconfirmed", "disabled", "reset required", "closed here", "odd"]
)
def test_every_failed_sign_in_looks_the_same(case: str, route: str, pool: Pool, browser: APIClient) -> None:
    body = dict(CREDENTIALS)
    if case == "unconfirmed":
        post(APIClient(), "/api/v1/auth/register/", CREDENTIALS)
    elif case != "unknown":
        pool.add(PERSON, PASSWORD)
    match case:
        case "wrong password":
            body["password"] = "Wrong-horse-1"
        case "disabled":
            pool.disable(PERSON)
        case "reset required":
            pool.cognito.answer_with(
                "InitiateAuth", aws_error("PasswordResetRequiredException", "Password reset required")
            )
        case "closed here":
            in_browser()
            User.objects.update(is_active=False)
        case "odd":
            pool.cognito.answer_with(
                "InitiateAuth", aws_error("InvalidParameterException", "Value at 'username' failed …")
            )
    response = post(browser, route, body)
    assert response.status_code == 400
    assert response.json() == {
        "detail": "The e-mail address or the password is wrong.",
        "code": "invalid_credentials",
    }
    assert not response.cookies


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_bad_body_is_the_clients_mistake(body: Any, pool: Pool, browser: APIClient) -> None:
    for route in (LOGIN, "/api/v1/auth/register/", "/api/v1/auth/verify-email/"):
        response = browser.generic("POST", route, body, content_type="application/json")
        assert response.status_code == 400
        assert response.json()["code"] in {"invalid", "parse_error", "invalid_credentials"}


def test_a_guesser_has_to_wait_and_the_pool_is_not_asked(pool: Pool, browser: APIClient) -> None:
    pool.add(PERSON, PASSWORD)
    for _ in range(5):
        assert code_of(post(browser, LOGIN, {**CREDENTIALS, "password": "Wrong-1"}), 400) == "invalid_credentials"
    pool.cognito.asked.clear()
    response = post(browser, LOGIN, CREDENTIALS)
    assert code_of(response, 429) == "too_many_attempts"
    assert int(response["Retry-After"]) > 0
    assert pool.cognito.asked == []
    counters.cache_clear()


@pytest.mark.parametrize("challenge", ["NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "SMS_MFA", "SELECT_CHALLENGE"])
def test_a_step_that_this_site_does_not_offer_has_its_code(challenge: str, pool: Pool, browser: APIClient) -> None:
    pool.cognito.answer_with(
        "InitiateAuth", PoolAnswer({"ChallengeName": challenge, "Session": "s" * 30, "ChallengeParameters": {}})
    )
    response = post(browser, LOGIN, CREDENTIALS)
    assert code_of(response, 403) == "another_step_needed"
    assert not response.cookies


def test_a_temporary_password_needs_another_step(pool: Pool, browser: APIClient) -> None:
    named = {"UserPoolId": pool.settings.id, "Username": PERSON}
    pool.operator.admin_create_user(**named, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    assert code_of(post(browser, LOGIN, CREDENTIALS), 403) == "another_step_needed"


@pytest.mark.parametrize("by_address", [False, True])
def test_each_request_proves_knowledge_of_the_client_secret(
    by_address: bool, pools: dict[bool, Pool], settings: Any, browser: APIClient
) -> None:
    pool = use(pools[by_address], settings)
    post(APIClient(), "/api/v1/auth/register/", {**CREDENTIALS, "name": "Some Body"})
    post(APIClient(), "/api/v1/auth/verify-email/", {"email": PERSON, "otp": "123456"})
    pool.verify(PERSON)
    post(browser, LOGIN, CREDENTIALS)
    client_id, own_hash = pool.settings.client_id, hash_of(pool, PERSON)
    (sign_up,), (confirm,) = pool.cognito.parameters("SignUp"), pool.cognito.parameters("ConfirmSignUp")
    assert sign_up == {
        "ClientId": client_id,
        "SecretHash": own_hash,
        "Username": PERSON,
        "Password": PASSWORD,
        "UserAttributes": [{"Name": "email", "Value": PERSON}, {"Name": "name", "Value": "Some Body"}],
    }
    assert confirm["SecretHash"] == own_hash
    assert pool.cognito.parameters("InitiateAuth") == [
        {
            "ClientId": client_id,
            "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": PERSON, "PASSWORD": PASSWORD, "SECRET_HASH": own_hash},
        }
    ]
    post(browser, "/users/logout/")
    (revoke,) = pool.cognito.parameters("RevokeToken")
    assert (revoke["ClientId"], revoke["ClientSecret"]) == (client_id, pool.settings.client_secret)


def test_a_secret_hash_is_as_aws_computes_it(pool: Pool) -> None:
    for username in (PERSON, "jürgen", "名前"):
        assert asking.secret_hash(pool.settings, username) == hash_of(pool, username)


# --- Refreshing ------------------------------------------------------------------------------------------------------


def test_refreshing_sends_the_username_of_the_pool(pool_by_address: Pool) -> None:
    """Cognito requires the hash of the username here, not of the typed address; moto accepts only the latter."""
    pool = pool_by_address
    sub = pool.add(PERSON, PASSWORD)
    browser = in_browser()
    granted = PoolAnswer({"AuthenticationResult": tokens_like(browser, pool)})
    pool.cognito.answer_with("InitiateAuth", granted)
    assert post(browser, "/users/refresh/").status_code == 200
    token = renewal_in(browser, pool).token
    assert pool.cognito.parameters("InitiateAuth")[-1] == {
        "ClientId": pool.settings.client_id,
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": token, "SECRET_HASH": hash_of(pool, sub)},
    }


def tokens_like(browser: APIClient, pool: Pool, **more: str) -> dict[str, str]:
    """Tokens of the same person, as a pool answers a refresh."""
    own = browser.cookies["vf_access"].value
    return {"AccessToken": own, "IdToken": own, "TokenType": "Bearer", **more}


@pytest.mark.parametrize(
    "refusal",
    [
        aws_error("InvalidParameterException", "REFRESH_TOKEN_AUTH flow not enabled for this client"),
        aws_error("UnsupportedOperationException", "Refresh token rotation is enabled"),
        aws_error("NotAuthorizedException", "Invalid Refresh Token"),
        aws_error("NotAuthorizedException", "SecretHash does not match for the client: x"),
    ],
    ids=lambda said: said.body["message"],
)
def test_pools_that_rotate_refresh_tokens_get_their_own_request(refusal: PoolAnswer, pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    first = renewal_in(browser, pool)
    pool.cognito.answer_with("InitiateAuth", refusal)
    pool.cognito.answer_with(
        "GetTokensFromRefreshToken",
        *(
            PoolAnswer({"AuthenticationResult": tokens_like(browser, pool, RefreshToken=token)})
            for token in ("two", "three")
        ),
    )
    for token in ("two", "three"):
        assert post(browser, "/users/refresh/").status_code == 200
        assert renewal_in(browser, pool) == replace(first, token=token)
    asked = pool.cognito.parameters("GetTokensFromRefreshToken")
    assert [one["RefreshToken"] for one in asked] == [first.token, "two"]
    assert asked[0]["ClientSecret"] == pool.settings.client_secret
    assert browser.get(ME).status_code == 200


@pytest.mark.parametrize(
    "refusal",
    [
        aws_error("NotAuthorizedException", "Refresh Token has been revoked"),
        aws_error("NotAuthorizedException", "User is disabled."),
        aws_error("RefreshTokenReuseException"),
        aws_error("UserNotFoundException"),
        aws_error("PasswordResetRequiredException"),
    ],
    ids=lambda said: said.body["__type"],
)
def test_a_session_that_the_pool_has_ended_ends_here_too(refusal: PoolAnswer, pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    pool.cognito.answer_with("InitiateAuth", refusal)
    pool.cognito.answer_with("GetTokensFromRefreshToken", refusal)
    assert code_of(post(browser, "/users/refresh/"), 401) == "session_ended"
    assert code_of(browser.get(ME), 401) == "session_ended"


def test_tokens_of_another_person_are_not_accepted_as_a_refresh(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    pool.add("other@example.com", PASSWORD)
    browser, other = in_browser(), in_browser(email="other@example.com")
    pool.cognito.answer_with("InitiateAuth", PoolAnswer({"AuthenticationResult": tokens_like(other, pool)}))
    assert code_of(post(browser, "/users/refresh/"), 401) == "session_ended"


def test_a_sign_in_whose_id_changes_goes_on_and_can_be_ended(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser(remember=True)
    later = in_browser()
    Session.objects.filter(
        pk=renewal_in(later, pool).session_id
    ).delete()  # as if the sign-in had not come through this site
    pool.cognito.answer_with("InitiateAuth", PoolAnswer({"AuthenticationResult": tokens_like(later, pool)}))
    assert post(browser, "/users/refresh/").status_code == 200
    session = Session.objects.get()
    assert (session.pk, session.is_remembered) == (renewal_in(browser, pool).session_id, True)
    kept = browser.cookies["vf_access"].value
    post(browser, "/users/logout/")
    assert code_of(APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {kept}"), 401) == "session_ended"


def test_a_sign_in_that_ends_while_it_is_renewed_stays_over(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    refresh = asking.refresh

    def and_sign_out(*args: Any, **kwargs: Any) -> Any:
        Session.objects.update(revoked_at=timezone.now())
        return refresh(*args, **kwargs)

    monkeypatch.setattr(asking, "refresh", and_sign_out)
    assert code_of(post(browser, "/users/refresh/"), 401) == "session_ended"


# --- People ----------------------------------------------------------------------------------------------------------


def test_the_first_sign_in_makes_an_account_without_a_password(pool: Pool) -> None:
    sub = pool.add(PERSON, PASSWORD, name="Some\tBody" + "y" * 200)
    in_browser()
    user = User.objects.get()
    assert (user.email, user.cognito_sub, user.role) == (PERSON, sub, Role.VIEWER)
    assert (user.email_verified, user.is_active, user.is_staff) == (True, True, False)
    assert user.name == ("SomeBody" + "y" * 200)[:150]
    assert not user.has_usable_password()
    assert user.last_login is not None


def test_signing_in_again_finds_the_same_account_and_leaves_its_role(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    in_browser()
    User.objects.update(role=Role.CREATOR, name="Chosen here")
    pool.change(PERSON, name="Of the pool")
    in_browser()
    user = User.objects.get()
    assert (user.role, user.name) == (Role.CREATOR, "Chosen here")


def test_an_account_with_the_same_address_is_linked_when_the_pool_vouches_for_it(pool: Pool, owner: User) -> None:
    sub = pool.add(owner.email, PASSWORD, name="Of the pool")
    in_browser(email=owner.email)
    owner.refresh_from_db()
    assert (owner.cognito_sub, owner.role, owner.name, owner.email_verified) == (sub, Role.CREATOR, "owner", True)
    assert not owner.has_usable_password()
    assert AuditEntry.objects.filter(action="account_linked", target=f"user:{owner.pk}").exists()


@pytest.mark.parametrize("has_account", [True, False])
def test_an_address_that_the_pool_does_not_vouch_for_leads_to_no_account(
    has_account: bool, pool: Pool, viewer: User, browser: APIClient
) -> None:
    email = viewer.email if has_account else PERSON
    pool.add(email, PASSWORD, is_verified=False)
    response = post(browser, LOGIN, {"email": email, "password": PASSWORD})
    assert response.status_code == 403
    assert response.json() == {
        "detail": "The identity provider knows no confirmed e-mail address of yours.",
        "code": "address_not_confirmed",
    }
    assert list(User.objects.values_list("cognito_sub")) == [(None,)]


def test_an_address_that_this_site_would_refuse_signs_no_user_in(pool: Pool, browser: APIClient) -> None:
    pool.add(PERSON, PASSWORD)
    pool.change(PERSON, email='"a b"@example.com')
    assert code_of(post(browser, LOGIN, CREDENTIALS), 403) == "address_not_confirmed"


def test_an_account_that_staff_have_closed_is_not_opened_by_the_pool(
    pool: Pool, viewer: User, browser: APIClient
) -> None:
    User.objects.update(is_active=False)
    pool.add(viewer.email, PASSWORD)
    body = {"email": viewer.email, "password": PASSWORD}
    assert code_of(post(browser, LOGIN, body), 400) == "invalid_credentials"
    viewer.refresh_from_db()
    assert (viewer.is_active, viewer.cognito_sub) == (False, None)


def test_data_that_a_stranger_registered_for_an_address_are_removed(pool: Pool, make_user: Any) -> None:
    waiting = make_user("evil", email=PERSON, is_active=False, awaits_confirmation=True, phone="0900", address="There")
    sub = pool.add(PERSON, PASSWORD, name="Some Body")
    in_browser()
    waiting.refresh_from_db()
    assert (waiting.name, waiting.phone, waiting.address) == ("Some Body", "", "")
    assert (waiting.cognito_sub, waiting.is_active, waiting.awaits_confirmation) == (sub, True, False)
    assert not waiting.check_password(LOCAL_PASSWORD)


def test_an_unconfirmed_registration_goes_when_the_user_has_another_address(pool: Pool) -> None:
    post(APIClient(), "/api/v1/auth/register/", {**CREDENTIALS, "name": "Some Body"})
    post(APIClient(), "/api/v1/auth/verify-email/", {"email": PERSON, "otp": "1"})
    pool.change(PERSON, email="new@example.com", email_verified="true")
    in_browser()
    assert list(User.objects.values_list("email", "is_active")) == [("new@example.com", True)]


def test_staff_keep_the_password_that_the_admin_site_asks_for(pool: Pool, admin: User) -> None:
    pool.add(admin.email, PASSWORD)
    browser = in_browser(email=admin.email)
    assert browser.get(ME).json()["role"] == "ADMIN"
    admin.refresh_from_db()
    assert admin.check_password(LOCAL_PASSWORD)
    assert code_of(post(APIClient(), LOGIN, {"email": admin.email, "password": LOCAL_PASSWORD}), 400)


def test_an_account_follows_its_person_to_another_address(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    in_browser()
    pool.change(PERSON, email="New@Example.com", email_verified="false")
    in_browser()
    assert User.objects.get().email == PERSON
    pool.change(PERSON, email_verified="true")
    in_browser()
    user = User.objects.get()
    assert (user.email, user.email_verified) == ("new@example.com", True)


def test_an_address_of_another_account_is_not_taken_over(pool: Pool, viewer: User) -> None:
    pool.add(PERSON, PASSWORD)
    in_browser()
    pool.change(PERSON, email=viewer.email)
    browser = in_browser()
    assert browser.get(ME).json()["email"] == PERSON
    viewer.refresh_from_db()
    assert viewer.cognito_sub is None


def test_a_user_with_a_new_sub_gets_the_account_of_the_address(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    pool.add(PERSON, PASSWORD)
    before = in_browser()
    pool.remove(PERSON)
    sub = pool.add(PERSON, PASSWORD)
    in_browser()
    assert User.objects.get().cognito_sub == sub
    assert code_of(before.get(ME), 401) == "session_ended"
    assert "belonged to another person of the user pool" in caplog.text


def test_an_admins_account_does_not_pass_to_another_person_with_the_address(pool: Pool, admin: User) -> None:
    pool.add(admin.email, PASSWORD)
    assert sign_in_as(admin.email).status_code == 200
    pool.remove(admin.email)
    pool.add(admin.email, PASSWORD)
    assert code_of(sign_in_as(admin.email), 400) == "invalid_credentials"
    User.objects.filter(pk=admin.pk).update(role=Role.VIEWER)
    assert sign_in_as(admin.email).status_code == 200


def test_a_first_sign_in_in_two_tabs_makes_one_account(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    sub = pool.add(PERSON, PASSWORD)
    mirror = people._mirror
    seen = []

    def before_the_other_tab(identity: Any) -> User:
        """Loses the race once: meanwhile the sign-in of the other tab has made the account."""
        seen.append(identity.sub)
        if len(seen) == 1:
            raise IntegrityError
        return mirror(identity)

    other = User.objects.create_user(PERSON, None, cognito_sub=sub)
    monkeypatch.setattr(people, "_mirror", before_the_other_tab)
    in_browser()
    assert User.objects.get() == other
    assert len(seen) == 2


@pytest.mark.parametrize("case", ["inactive", "deleted", "another person", "signed out"])
def test_access_ends_at_once(case: str, pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    match case:
        case "inactive":
            User.objects.update(is_active=False)
        case "deleted":
            User.objects.all().delete()
        case "another person":
            User.objects.update(cognito_sub="another")
        case "signed out":
            Session.objects.update(revoked_at=timezone.now())
    assert code_of(browser.get(ME), 401) == "session_ended"
    assert code_of(post(browser, "/users/refresh/"), 401) == "session_ended"


def test_tokens_from_the_pool_itself_are_valid_until_they_are_signed_out(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    granted = asking.sign_in(pool.settings, email=PERSON, password=PASSWORD)
    program = APIClient(HTTP_AUTHORIZATION=f"Bearer {granted.access}")
    assert code_of(program.get(ME), 401) == "session_ended"  # this site has no account yet
    assert post(program, "/users/logout/").status_code == 200
    in_browser()
    assert program.get(ME).status_code == 200
    post(program, "/users/logout/")
    assert code_of(program.get(ME), 401) == "session_ended"


def test_the_audit_trail_names_the_user(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    post(APIClient(), LOGIN, {**CREDENTIALS, "password": "Wrong-1"})
    post(browser, "/users/logout/")
    user = User.objects.get()
    entries = AuditEntry.objects.order_by("at").values_list("action", "actor", "target", "status")
    assert list(entries) == [
        ("sign_in", user.pk, "", 200),
        ("sign_in", None, f"user:{user.pk}", 400),
        ("sign_out", user.pk, "", 200),
    ]


# --- What the pool keeps ---------------------------------------------------------------------------------------------

ELSEWHERE = [
    ("post", "password/change", {"current_password": PASSWORD, "new_password": "Another-horse-2"}),
    ("post", "email/change", {"new_email": "new@example.com", "password": PASSWORD}),
    ("get", "sessions", {}),
    ("delete", "sessions", {}),
    ("delete", "sessions/7a1b2c3d-0000-4000-8000-000000000001", {}),
    ("delete", "me", {"password": PASSWORD}),
]


@pytest.mark.parametrize("prefix", ["/users/", "/api/v1/auth/"])
@pytest.mark.parametrize(("method", "route", "body"), ELSEWHERE, ids=[f"{one[0]} {one[1]}" for one in ELSEWHERE])
def test_routes_that_the_pool_manages_are_refused(method: str, route: str, body: Any, prefix: str, pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    response = getattr(browser, method)(f"{prefix}{route}/", body, format="json")
    assert code_of(response, 409) == "managed_elsewhere"
    assert "identity provider" in response.json()["detail"]
    assert browser.get(ME).status_code == 200
    assert getattr(APIClient(), method)(f"{prefix}{route}/", body, format="json").status_code == 401


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/users/forgot-password/", {"email": PERSON}),
        ("/users/reset-password/", {"uid": "MQ", "token": "t", "new_password": "Another-horse-2"}),
        ("/users/forgot-password/", {}),
    ],
)
def test_routes_for_forgotten_passwords_are_refused(route: str, body: Any, pool: Pool, viewer: User) -> None:
    assert code_of(post(APIClient(), route, body), 409) == "managed_elsewhere"


@pytest.mark.parametrize("route", ["/users/confirm/", "/users/email/confirm/"])
def test_links_of_mails_lead_to_a_sentence(route: str, pool: Pool) -> None:
    assert code_of(APIClient().get(route, {"uid": "MQ", "token": "t"}), 409) == "managed_elsewhere"
    page = APIClient().get(route, {"uid": "MQ", "token": "t"}, HTTP_ACCEPT="text/html,*/*;q=0.8")
    assert page.status_code == 409
    assert "identity provider" in page.content.decode()


def test_profile_and_export_work_as_without_a_pool(pool: Pool) -> None:
    sub = pool.add(PERSON, PASSWORD)
    browser = in_browser()
    changed = browser.patch("/users/profile/", {"name": "N", "phone": "1"}, format="json")
    assert (changed.status_code, changed.json()["name"]) == (200, "N")
    export = browser.get("/users/export/").json()
    assert export["account"]["email"] == PERSON
    assert export["identity_provider"] == {"sub": sub}
    assert len(export["sessions"]) == 1


# --- A pool that does not answer -------------------------------------------------------------------------------------

QUESTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("InitiateAuth", LOGIN, CREDENTIALS),
    ("InitiateAuth", "/api/v1/auth/token/", CREDENTIALS),
    ("SignUp", "/api/v1/auth/register/", CREDENTIALS),
    ("ConfirmSignUp", "/api/v1/auth/verify-email/", {"email": PERSON, "otp": "123456"}),
]


def assert_unavailable(response: Any) -> None:
    assert code_of(response, 503) == "identity_provider_unavailable"
    assert int(response["Retry-After"]) > 0
    assert not response.cookies


@pytest.mark.parametrize(
    "code", ["TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException"]
)
def test_a_busy_pool_is_answered_by_429_with_retry_after(code: str, pool: Pool, browser: APIClient) -> None:
    for operation, route, body in QUESTIONS:
        pool.cognito.answer_with(operation, aws_error(code, "Attempt limit exceeded, please try after some time."))
        response = post(browser, route, body)
        assert code_of(response, 429) == "identity_provider_busy"
        assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize(
    "answer",
    [
        aws_error("InternalErrorException", status=500),
        aws_error("ServiceUnavailable", status=503),
        PoolAnswer(b"<html>Bad gateway</html>", 502),
        PoolAnswer(b"", 500),
        PoolAnswer(b"garbage", 400),
        PoolAnswer(b"{", 400),
        PoolAnswer([], 400),
        aws_error("ResourceNotFoundException", "User pool client x does not exist."),
        aws_error("NotAuthorizedException", "Unable to verify secret hash for client x"),
        aws_error("NotAuthorizedException", "SecretHash does not match for the client: x"),
        aws_error("NotAuthorizedException", "Client x is configured with secret but SECRET_HASH was not received"),
        aws_error("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"),
        aws_error("ForbiddenException", "Request not allowed due to WAF block."),
        aws_error("SomethingNew", "a code of the future"),
        aws_error("UnexpectedLambdaException"),
    ],
    ids=range(15),
)
def test_a_pool_that_is_broken_or_not_set_up_is_answered_by_503(
    answer: PoolAnswer, pool: Pool, browser: APIClient
) -> None:
    for operation, route, body in QUESTIONS:
        pool.cognito.answer_with(operation, answer)
        assert_unavailable(post(browser, route, body))


@pytest.mark.parametrize(
    "result",
    [
        PoolAnswer({}),
        PoolAnswer({"AuthenticationResult": {}}),
        PoolAnswer({"AuthenticationResult": {"AccessToken": "a.b.c", "IdToken": "a.b.c"}}),
        PoolAnswer({"AuthenticationResult": {"AccessToken": "x" * 5000, "IdToken": "a.b.c"}}),
        PoolAnswer({"AuthenticationResult": None}),
        PoolAnswer({"AuthenticationResult": "yes"}),
        PoolAnswer(b""),
        PoolAnswer(b"[1]"),
        PoolAnswer(b"garbage"),
    ],
    ids=range(9),
)
def test_tokens_that_cannot_be_used_sign_no_person_in(result: PoolAnswer, pool: Pool, browser: APIClient) -> None:
    pool.add(PERSON, PASSWORD)
    other = in_browser()
    pool.cognito.answer_with("InitiateAuth", result)
    assert_unavailable(post(browser, LOGIN, CREDENTIALS))
    assert_unavailable(post(other, "/users/refresh/"))
    assert other.get(ME).status_code == 200


def test_the_id_token_of_another_person_signs_no_person_in(pool: Pool, browser: APIClient) -> None:
    pool.add(PERSON, PASSWORD)
    pool.add("other@example.com", PASSWORD)
    own, other = (
        asking.sign_in(pool.settings, email=email, password=PASSWORD) for email in (PERSON, "other@example.com")
    )
    mixed = {"AccessToken": own.access, "IdToken": other.id, "RefreshToken": own.refresh}
    pool.cognito.answer_with("InitiateAuth", PoolAnswer({"AuthenticationResult": mixed}))
    assert_unavailable(post(browser, LOGIN, CREDENTIALS))
    assert not User.objects.exists()


def test_while_the_pool_is_away_users_stay_signed_in_and_can_sign_out(
    pool: Pool, settings: Any, browser: APIClient
) -> None:
    pool.add(PERSON, PASSWORD)
    inside = in_browser()
    settings.USER_POOL = replace(pool.settings, endpoint_url="http://127.0.0.1:1")
    for _, route, body in QUESTIONS:
        assert_unavailable(post(browser, route, body))
    assert_unavailable(post(inside, "/users/refresh/"))
    assert inside.get(ME).status_code == 200
    kept = inside.cookies["vf_access"].value
    assert post(inside, "/users/logout/").status_code == 200
    assert code_of(APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {kept}"), 401) == "session_ended"


def test_a_silent_pool_is_given_up_after_the_timeout(pool: Pool, settings: Any, browser: APIClient) -> None:
    pool.add(PERSON, PASSWORD)
    inside = in_browser()
    settings.USER_POOL = replace(pool.settings, timeout_s=0.2)
    known = keys_of(pool.settings.keys_url, pool.settings.timeout_s)
    keys_of(pool.settings.keys_url, 0.2).jwk_set_cache = known.jwk_set_cache
    with pool.cognito.silent():
        for _, route, body in QUESTIONS:
            assert_unavailable(post(browser, route, body))
        assert_unavailable(post(inside, "/users/refresh/"))
        assert inside.get(ME).status_code == 200
        assert post(inside, "/users/logout/").status_code == 200


def test_without_its_keys_no_user_is_told_to_sign_in_again(pool: Pool, settings: Any, browser: APIClient) -> None:
    pool.add(PERSON, PASSWORD)
    inside = in_browser()
    settings.USER_POOL = replace(pool.settings, jwks_url="http://127.0.0.1:1/keys")
    assert_unavailable(inside.get(ME))
    assert_unavailable(post(browser, LOGIN, CREDENTIALS))
    for route in ("/users/email-exists/?email=a@example.com", "/health/"):
        assert inside.get(route).status_code in {200, 503}
    assert post(inside, "/users/logout/").status_code == 200


# --- Keys that change: moto's never do -------------------------------------------------------------------------------


def test_a_token_of_an_unknown_key_is_refused(pool: Pool) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    header, payload, signature = browser.cookies["vf_access"].value.split(".")
    changed = {**jwt.get_unverified_header(f"{header}.{payload}.{signature}"), "kid": "made-up"}
    other = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    browser.cookies["vf_access"] = f"{other}.{payload}.{signature}"
    assert code_of(browser.get(ME), 401) == "token_invalid"


def test_an_expired_access_token_says_that_refreshing_helps(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    pool.add(PERSON, PASSWORD)
    browser = in_browser()
    later = timezone.now() + timedelta(hours=2)

    class Later(type(later)):  # type: ignore[misc]  # datetime itself
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return later.astimezone(tz)

    monkeypatch.setattr("jwt.api_jwt.datetime", Later)
    assert code_of(browser.get(ME), 401) == "token_expired"


# --- The admin site --------------------------------------------------------------------------------------------------


def test_staff_whom_the_pool_signed_in_are_in_the_admin_site_until_they_sign_out(pool: Pool, admin: User) -> None:
    pool.add(admin.email, PASSWORD)
    browser = in_browser(email=admin.email)
    assert browser.get("/admin/").status_code == 200
    asked = len(pool.cognito.asked)
    assert browser.get("/admin/").status_code == 200
    assert len(pool.cognito.asked) == asked  # the row of the session was enough
    kept = browser.cookies["sessionid"].value
    post(browser, "/users/logout/")
    browser.cookies["sessionid"] = kept
    assert browser.get("/admin/").status_code == 302


def test_without_the_keys_of_the_pool_staff_get_the_sign_in_page(pool: Pool, settings: Any, admin: User) -> None:
    pool.add(admin.email, PASSWORD)
    browser = in_browser(email=admin.email)
    settings.USER_POOL = replace(pool.settings, jwks_url="http://127.0.0.1:1/keys")
    assert browser.get("/admin/").status_code == 302
    assert browser.get("/admin/login/").status_code == 200


def test_work_in_the_admin_site_does_not_prolong_the_session_of_the_pool(pool: Pool, admin: User) -> None:
    pool.add(admin.email, PASSWORD)
    browser = in_browser(email=admin.email)
    browser.get("/admin/")
    soon = timezone.now() + timedelta(minutes=1)
    Session.objects.update(expires_at=soon)
    assert browser.get("/admin/").status_code == 200
    assert Session.objects.get().expires_at == soon


def test_signing_out_of_the_admin_site_signs_out_of_the_pools_session(pool: Pool, admin: User) -> None:
    pool.add(admin.email, PASSWORD)
    browser = in_browser(email=admin.email)
    browser.get("/admin/")
    browser.post("/admin/logout/")
    assert browser.get(ME).status_code == 401
    assert Session.objects.get().revoked_at is not None


def test_the_admins_form_signs_in_to_the_admin_site_alone(pool: Pool, admin: User) -> None:
    browser = APIClient(HTTP_ORIGIN="http://testserver")
    form = {"username": admin.email, "password": LOCAL_PASSWORD, "next": "/admin/"}
    assert browser.post("/admin/login/", form, format="multipart").status_code == 302
    assert browser.get("/admin/").status_code == 200
    assert browser.get(ME).status_code == 401
