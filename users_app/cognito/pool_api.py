"""Requests to a user pool of Amazon Cognito; the only module of this app that knows boto3."""

import base64
import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from boto3.session import Session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from users_app.cognito.faults import AnotherStepNeeded, PoolBusy, PoolUnavailable
from users_app.cognito.user_pool import UserPool

log = logging.getLogger(__name__)

ATTEMPTS = 2
CONNECT_TIMEOUT_S = 3
CONNECTIONS = 32  # one for each thread of a web process
# Seconds that clients are told to wait, because the pool does not say how long.
WAIT_S = {
    "TooManyRequestsException": 5,
    "ThrottlingException": 5,
    "LimitExceededException": 60,
    "TooManyFailedAttemptsException": 60,
}
# Error codes about what a person has typed. Any other code means that the pool or this site is set up wrongly.
INPUT_ERRORS = frozenset(
    {
        "AliasExistsException",
        "CodeMismatchException",
        "ExpiredCodeException",
        "InvalidParameterException",
        "InvalidPasswordException",
        "NotAuthorizedException",
        "PasswordResetRequiredException",
        "RefreshTokenReuseException",
        "UserLambdaValidationException",
        "UserNotConfirmedException",
        "UserNotFoundException",
        "UsernameExistsException",
    }
)
# The messages about a wrong set-up that come with one of INPUT_ERRORS.
NOT_SET_UP = re.compile(
    r"secret ?hash|secret_hash|configured (?:with|for) secret|flow (?:is )?not enabled|method not supported"
)


class PoolRefused(Exception):
    """The pool has refused what a person has typed, or what this site is set up with."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Granted:
    """The tokens of a sign-in or a renewal; `refresh` is empty where the token that was sent stays valid."""

    access: str
    id: str
    refresh: str


def sign_up(pool: UserPool, *, email: str, password: str, name: str) -> str:
    """Return the `sub` of the new person, to whom the pool sends a code. Raises PoolRefused."""
    attributes = {"email": email, **({"name": name} if name else {})}
    answer = _ask(
        pool,
        "sign_up",
        **_client(pool, email),
        Password=password,
        UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
    )
    return str(answer.get("UserSub") or "")


def resend_code(pool: UserPool, *, email: str) -> None:
    """Send another code to a person who has not confirmed yet. Raises PoolRefused for any other address."""
    _ask(pool, "resend_confirmation_code", **_client(pool, email))


def confirm_sign_up(pool: UserPool, *, email: str, code: str) -> None:
    """Raises PoolRefused."""
    _ask(pool, "confirm_sign_up", **_client(pool, email), ConfirmationCode=code)


def sign_in(pool: UserPool, *, email: str, password: str) -> Granted:
    """Raises PoolRefused, or AnotherStepNeeded where the pool asks for more than the password."""
    answer = _ask(
        pool,
        "initiate_auth",
        ClientId=pool.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": password, "SECRET_HASH": secret_hash(pool, email)},
    )
    return _granted(answer)


def refresh(pool: UserPool, *, username: str, refresh_token: str) -> Granted:
    """Return new tokens. `username` is the access token's, which may differ from what was typed. Raises PoolRefused."""
    try:
        answer = _call(
            pool,
            "initiate_auth",
            ClientId=pool.client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": refresh_token, "SECRET_HASH": secret_hash(pool, username)},
        )
    except PoolRefused:
        # App clients that rotate refresh tokens refuse that flow. They have this operation instead, which older pools
        # and other servers lack.
        answer = _ask(
            pool,
            "get_tokens_from_refresh_token",
            ClientId=pool.client_id,
            ClientSecret=pool.client_secret,
            RefreshToken=refresh_token,
        )
    return _granted(answer)


def revoke_refresh_token(pool: UserPool, *, refresh_token: str) -> None:
    """End one sign-in at the pool; the person's other ones go on. Raises PoolRefused."""
    _ask(pool, "revoke_token", ClientId=pool.client_id, ClientSecret=pool.client_secret, Token=refresh_token)


def secret_hash(pool: UserPool, username: str) -> str:
    """Return the proof, for one username, that this site knows the client's secret."""
    digest = hmac.digest(pool.client_secret.encode(), f"{username}{pool.client_id}".encode(), "sha256")
    return base64.b64encode(digest).decode()


def _client(pool: UserPool, username: str) -> dict[str, str]:
    return {"ClientId": pool.client_id, "Username": username, "SecretHash": secret_hash(pool, username)}


def _granted(answer: Mapping[str, Any]) -> Granted:
    if challenge := answer.get("ChallengeName"):
        log.warning("the user pool asks for %s at a sign-in, which this site does not offer", challenge)
        raise AnotherStepNeeded
    tokens = answer.get("AuthenticationResult") or {}
    if not tokens.get("AccessToken") or not tokens.get("IdToken"):
        log.error("the user pool has accepted a sign-in without giving tokens")
        raise PoolUnavailable
    return Granted(tokens["AccessToken"], tokens["IdToken"], tokens.get("RefreshToken") or "")


def _ask(pool: UserPool, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """Call the pool and return its answer.

    Raises PoolRefused for what the person can correct, PoolUnavailable for what only the operator can, and PoolBusy.
    """
    try:
        return _call(pool, operation, **parameters)
    except PoolRefused as refused:
        # A wrong client secret and a sign-in flow that is switched off have the same codes as a wrong password.
        if refused.code in INPUT_ERRORS and not NOT_SET_UP.search(refused.message.lower()):
            raise
        log.error("the user pool and this site are not set up for each other: %s answers %s", operation, refused)
        raise PoolUnavailable from refused


def _call(pool: UserPool, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """Call the pool and return its answer.

    Raises PoolBusy or PoolUnavailable where a later call may succeed, and PoolRefused for every other error.
    """
    ask = getattr(_boto_client(pool.region, pool.endpoint_url, pool.timeout_s), operation)
    try:
        answer: Mapping[str, Any] = ask(**parameters)
    except ClientError as error:
        response: Mapping[str, Any] = error.response
        code, message = (str(response.get("Error", {}).get(name, "")) for name in ("Code", "Message"))
        if wait_s := WAIT_S.get(code):
            log.warning("the user pool takes no more %s requests at the moment: %s", operation, code)
            raise PoolBusy(wait_s=wait_s) from error
        if response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            log.warning("the user pool is broken: %s answers %s", operation, code)
            raise PoolUnavailable from error
        raise PoolRefused(code, message) from error
    except ParamValidationError as error:
        raise PoolRefused("InvalidParameterException", "a value is too short") from error
    # AttributeError and TypeError: botocore stumbles over JSON that is no object.
    except (BotoCoreError, AttributeError, TypeError) as error:
        log.warning("the user pool does not answer %s: %s", operation, " ".join(str(error).split()))
        raise PoolUnavailable from error
    return answer


@lru_cache(maxsize=4)
def _boto_client(region: str, endpoint_url: str, timeout_s: float) -> Any:
    """Return the boto3 client of a pool, which all threads share, because making one takes a moment."""
    config = Config(
        # The secret of the app client proves that this site sends a request; a key of AWS is not needed.
        signature_version=UNSIGNED,
        connect_timeout=min(CONNECT_TIMEOUT_S, timeout_s),
        read_timeout=timeout_s,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
    )
    return Session().client("cognito-idp", region_name=region, endpoint_url=endpoint_url or None, config=config)
