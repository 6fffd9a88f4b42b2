"""Moto's Cognito over HTTP. A test chooses the answers that moto cannot give: errors, silence, missing operations.

Moto lacks RevokeToken, GetTokensFromRefreshToken and ResendConfirmationCode; it does not refuse wrong codes, check the
secret hash of a sign-in, set `email_verified` after the code, limit requests or change keys.
"""

import io
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from users_app.cognito.user_pool import UserPool

REGION = "us-east-1"
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
# Without this header moto takes a request for the key set for one for an object of S3.
AS_COGNITO = (
    f"AWS4-HMAC-SHA256 Credential=a/20260101/{REGION}/cognito-idp/aws4_request, SignedHeaders=host, Signature=a"
)
LONGEST_SILENCE_S = 30
HAS_NONE = {"RevokeToken", "GetTokensFromRefreshToken", "ResendConfirmationCode"}


@dataclass(frozen=True)
class PoolAnswer:
    """An answer that a test chooses."""

    body: Any
    status: int = 200


def aws_error(code: str, message: str = "", status: int = 400) -> PoolAnswer:
    """Returns an error in the form that Cognito gives it."""
    return PoolAnswer({"__type": code, "message": message}, status)


@dataclass
class Cognito:
    """A WSGI application in front of moto's."""

    moto: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))
    url: str = ""
    # Each request: its operation ("keys" for the key set) and its parameters.
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, list[PoolAnswer]] = field(default_factory=dict)
    operator: Any = None
    is_silent: bool = False
    may_speak: threading.Event = field(default_factory=threading.Event)
    # Moto keeps users in a dictionary without a lock, and any request may change it.
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        operation = self.operation_of(environ)
        self.asked.append((operation, self.parameters_of(environ)))
        if self.is_silent:
            # By the end of the silence the client has hung up, and moto would serve its request during the next test.
            self.may_speak.wait(LONGEST_SILENCE_S)
            start_response("503 Silent", [])
            return []
        if said := self.answer_to(operation):
            body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
            start_response(f"{said.status} Said", headers)
            return [body]
        with self.one_at_a_time:
            answer: Iterable[bytes] = self.moto(environ, start_response)
        return answer

    def operation_of(self, environ: dict[str, Any]) -> str:
        if environ["PATH_INFO"].endswith("/jwks.json"):
            environ["HTTP_AUTHORIZATION"] = AS_COGNITO
            return "keys"
        return str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]

    def parameters_of(self, environ: dict[str, Any]) -> dict[str, Any]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        parameters: dict[str, Any] = json.loads(body) if body else {}
        return parameters

    def answer_to(self, operation: str) -> PoolAnswer | None:
        """Returns the next chosen answer, the last one again and again; None leaves the answer to moto."""
        said = self.answers.get(operation, [])
        if not said:
            return PoolAnswer({}) if operation in HAS_NONE else None
        return said.pop(0) if len(said) > 1 else said[0]

    def answer_with(self, operation: str, *answers: PoolAnswer) -> None:
        self.answers[operation] = list(answers)

    @contextmanager
    def silent(self) -> Iterator[None]:
        self.is_silent = True
        self.may_speak.clear()
        try:
            yield
        finally:
            self.is_silent = False
            self.may_speak.set()

    def parameters(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.asked if name == operation]

    def be_normal(self) -> None:
        self.asked.clear()
        self.answers.clear()


@dataclass(frozen=True)
class Pool:
    """One user pool, with an app client that has a secret; people sign in by their address."""

    cognito: Cognito
    settings: UserPool

    @property
    def operator(self) -> Any:
        """The client of the operator, who may administer the pool."""
        return self.cognito.operator

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a site whose accounts are in the pool."""
        return {
            "IDENTITY_PROVIDER": "cognito",
            "COGNITO_USER_POOL_ID": self.settings.id,
            "COGNITO_CLIENT_ID": self.settings.client_id,
            "COGNITO_CLIENT_SECRET": self.settings.client_secret,
            "COGNITO_JWKS_URL": self.settings.jwks_url,
            "COGNITO_ENDPOINT_URL": self.settings.endpoint_url,
            "COGNITO_TIMEOUT_SECONDS": "4",
        }

    def add(self, email: str, password: str, *, is_verified: bool = True, **attributes: str) -> str:
        """Adds a user who may sign in. Returns the `sub`."""
        named = {"UserPoolId": self.settings.id, "Username": email}
        given = {"email": email, "email_verified": "true" if is_verified else "false", **attributes}
        listed = [{"Name": name, "Value": value} for name, value in given.items()]
        self.operator.admin_create_user(**named, UserAttributes=listed, MessageAction="SUPPRESS")
        self.operator.admin_set_user_password(**named, Password=password, Permanent=True)
        return self.sub_of(email)

    def verify(self, email: str) -> None:
        """Marks the address as verified, as Cognito does after a right code and moto does not."""
        self.change(email, email_verified="true")

    def change(self, username: str, /, **attributes: str) -> None:
        listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
        self.operator.admin_update_user_attributes(
            UserPoolId=self.settings.id, Username=username, UserAttributes=listed
        )

    def remove(self, username: str) -> None:
        self.operator.admin_delete_user(UserPoolId=self.settings.id, Username=username)

    def be_empty(self) -> None:
        for user in self.operator.list_users(UserPoolId=self.settings.id)["Users"]:
            self.remove(user["Username"])

    def disable(self, email: str) -> None:
        self.operator.admin_disable_user(UserPoolId=self.settings.id, Username=email)

    def sub_of(self, email: str) -> str:
        user = self.operator.admin_get_user(UserPoolId=self.settings.id, Username=email)
        return next(str(one["Value"]) for one in user["UserAttributes"] if one["Name"] == "sub")


@contextmanager
def running_cognito() -> Iterator[Cognito]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    cognito = Cognito()
    server: BaseWSGIServer = make_server("127.0.0.1", 0, cognito, threaded=True)
    cognito.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    cognito.operator = boto3.client("cognito-idp", endpoint_url=cognito.url, region_name=REGION, **KEYS)
    try:
        yield cognito
    finally:
        cognito.may_speak.set()
        server.shutdown()
        server.server_close()


def make_pool(cognito: Cognito, *, by_address: bool = False) -> Pool:
    """Makes a pool. With `by_address` the pool makes up usernames, and users sign in by address, as in most pools."""
    operator = cognito.operator
    kind: dict[str, Any] = {"UsernameAttributes": ["email"]} if by_address else {}
    pool_id = operator.create_user_pool(PoolName="people", AutoVerifiedAttributes=["email"], **kind)["UserPool"]["Id"]
    client = operator.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="site",
        GenerateSecret=True,
        ReadAttributes=["email", "email_verified", "name"],
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]
    settings = UserPool(
        id=pool_id,
        client_id=client["ClientId"],
        client_secret=client["ClientSecret"],
        jwks_url=f"{cognito.url}/{pool_id}/.well-known/jwks.json",
        endpoint_url=cognito.url,
    )
    return Pool(cognito, settings)
