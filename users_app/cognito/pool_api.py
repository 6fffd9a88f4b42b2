"""What a user pool of Amazon Cognito is asked; the only module of this app that knows boto3.

None of the requests is signed with a key of AWS: the secret of the app client proves who asks.
"""

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
# How long to wait after each, which the pool does not tell.
TOO_MUCH = {
    "TooManyRequestsException": 5,
    "ThrottlingException": 5,
    "LimitExceededException": 60,
    "TooManyFailedAttemptsException": 60,
}
# Answers to what somebody has typed. Any other means that the pool, or this site, is not set up as it should be.
TO_THE_PERSON = frozenset(
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
# What it says then under codes that it has for people too.
NOT_SET_UP = re.compile(
    r"secret ?hash|secret_hash|configured (?:with|for) secret|flow (?:is )?not enabled|method not supported"
)


class PoolRefused(Exception):
    """The pool says no."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def is_our_fault(self) -> bool:
        """A wrong client secret and a sign-in flow that is switched off have the same codes as a wrong password."""
        return self.code not in TO_THE_PERSON or NOT_SET_UP.search(self.message.lower()) is not None


@dataclass(frozen=True, slots=True)
class Granted:
    """`refresh` is empty where the one that was given stays good."""

    access: str
    id: str
    refresh: str


def sign_up(pool: UserPool, *, email: str, password: str, name: str) -> str:
    """The `sub` of the new person, to whom the pool sends a code. Raises Refused."""
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
    """To somebody who has not confirmed yet; Refused for anybody else."""
    _ask(pool, "resend_confirmation_code", **_client(pool, email))


def confirm_sign_up(pool: UserPool, *, email: str, code: str) -> None:
    """Raises Refused."""
    _ask(pool, "confirm_sign_up", **_client(pool, email), ConfirmationCode=code)


def sign_in(pool: UserPool, *, email: str, password: str) -> Granted:
    """Raises Refused, or AnotherStepNeeded where the password is not all that is asked for."""
    parameters = {"USERNAME": email, "PASSWORD": password, "SECRET_HASH": secret_hash(pool, email)}
    return _granted(_ask(pool, "initiate_auth", **_flow(pool, "USER_PASSWORD_AUTH", parameters)))


def refresh(pool: UserPool, *, username: str, refresh_token: str) -> Granted:
    """`username` as the access token has it, which need not be what was typed. Raises Refused.

    App clients that rotate refresh tokens refuse the flow and have an operation of their own, which older pools and
    other servers lack; so one that says no to the first is asked by the second.
    """
    parameters = {"REFRESH_TOKEN": refresh_token, "SECRET_HASH": secret_hash(pool, username)}
    try:
        return _granted(_call(pool, "initiate_auth", **_flow(pool, "REFRESH_TOKEN_AUTH", parameters)))
    except PoolRefused:
        return _granted(_ask(pool, "get_tokens_from_refresh_token", **_proof(pool), RefreshToken=refresh_token))


def revoke_refresh_token(pool: UserPool, *, refresh_token: str) -> None:
    """Of one sign-in; the person's others go on. Raises Refused."""
    _ask(pool, "revoke_token", **_proof(pool), Token=refresh_token)


def secret_hash(pool: UserPool, username: str) -> str:
    """That we know the client's secret, for one person."""
    digest = hmac.digest(pool.client_secret.encode(), f"{username}{pool.client_id}".encode(), "sha256")
    return base64.b64encode(digest).decode()


def _client(pool: UserPool, username: str) -> dict[str, str]:
    return {"ClientId": pool.client_id, "Username": username, "SecretHash": secret_hash(pool, username)}


def _proof(pool: UserPool) -> dict[str, str]:
    return {"ClientId": pool.client_id, "ClientSecret": pool.client_secret}


def _flow(pool: UserPool, flow: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    return {"ClientId": pool.client_id, "AuthFlow": flow, "AuthParameters": parameters}


def _granted(answer: Mapping[str, Any]) -> Granted:
    if challenge := answer.get("ChallengeName"):
        log.warning("the user pool asks somebody for %s, which this site does not offer", challenge)
        raise AnotherStepNeeded
    tokens = answer.get("AuthenticationResult") or {}
    if not tokens.get("AccessToken") or not tokens.get("IdToken"):
        log.error("the user pool has signed somebody in and gave no tokens")
        raise PoolUnavailable
    return Granted(tokens["AccessToken"], tokens["IdToken"], tokens.get("RefreshToken") or "")


def _ask(pool: UserPool, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """Raises Refused for what whoever asks can mend, PoolUnavailable for what the operator can."""
    try:
        return _call(pool, operation, **parameters)
    except PoolRefused as no:
        if not no.is_our_fault:
            raise
        log.error("the user pool and this site are not set up for each other: %s answers %s", operation, no)
        raise PoolUnavailable from no


def _call(pool: UserPool, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """Raises Refused, PoolBusy or PoolUnavailable."""
    ask = getattr(_boto_client(pool.region, pool.endpoint_url, pool.timeout_s), operation)
    try:
        answer: Mapping[str, Any] = ask(**parameters)
    except ClientError as error:
        raise _meaning(operation, error) from error
    except ParamValidationError as error:
        raise PoolRefused("InvalidParameterException", "a value is too short") from error
    # AttributeError and TypeError: botocore stumbles over JSON that is no object.
    except (BotoCoreError, AttributeError, TypeError) as error:
        log.warning("the user pool does not answer %s: %s", operation, " ".join(str(error).split()))
        raise PoolUnavailable from error
    return answer


def _meaning(operation: str, error: ClientError) -> PoolRefused | PoolBusy | PoolUnavailable:
    answer: Mapping[str, Any] = error.response
    code, message = (str(answer.get("Error", {}).get(name, "")) for name in ("Code", "Message"))
    if wait_s := TOO_MUCH.get(code):
        log.warning("the user pool takes no more of %s: %s", operation, code)
        return PoolBusy(wait_s=wait_s)
    if answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        log.warning("the user pool is broken: %s answers %s", operation, code)
        return PoolUnavailable()
    return PoolRefused(code, message)


@lru_cache(maxsize=4)
def _boto_client(region: str, endpoint_url: str, timeout_s: float) -> Any:
    """Made once, which takes a moment; threads share it."""
    config = Config(
        signature_version=UNSIGNED,
        connect_timeout=min(CONNECT_TIMEOUT_S, timeout_s),
        read_timeout=timeout_s,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
    )
    return Session().client("cognito-idp", region_name=region, endpoint_url=endpoint_url or None, config=config)
