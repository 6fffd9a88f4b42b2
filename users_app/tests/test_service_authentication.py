"""Authentication of services by signature or gateway secret, and the answers to other clients."""

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.conf import settings
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle
from rest_framework.views import APIView

from users_app.http.authentication import TokenAuthentication
from users_app.http.service_authentication import GATEWAY_HEADER, IsService, Service, ServiceAuthentication, sent_path
from users_app.http.service_signature import ServiceKey, SignatureRefused
from users_app.models import User
from users_app.services.sessions import open_session

Headers = dict[str, str]

HOST = "videos.example.com"
KEY = ServiceKey("transcoder", "AKIDTRANSCODER", "a-secret-of-the-transcoder")
TOKEN_KEY = ServiceKey("importer", "ASIAIMPORTER", "a-secret-of-the-importer", "a-session-token")
GATEWAY_SECRET = "the-secret-that-the-gateway-proves-itself-by"


class Echo(APIView):
    """Answers with the service and with what arrived."""

    authentication_classes: tuple[type[BaseAuthentication], ...] = (ServiceAuthentication,)
    permission_classes = (IsService,)
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    def get(self, request: Request, key: str = "") -> Response:
        return Response({"service": str(request.user), "key": key, "query": request.query_params, "data": request.data})

    post = get


class Busy(Echo):
    throttle_classes = (AnonRateThrottle, UserRateThrottle)


class ForBoth(Echo):
    authentication_classes = (TokenAuthentication, ServiceAuthentication)


urlpatterns = [
    path("echo/<path:key>/", Echo.as_view()),
    path("echo/", Echo.as_view()),
    path("busy/", Busy.as_view()),
    path("both/", ForBoth.as_view()),
]


@pytest.fixture(autouse=True)
def _services(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = [HOST]
    settings.SERVICE_KEYS = (KEY, TOKEN_KEY)
    settings.SERVICE_REGION = "eu-central-1"
    settings.SERVICE_NAME = "execute-api"
    settings.GATEWAY_SHARED_SECRET = ""


@pytest.fixture
def gateway(settings: Any) -> None:
    settings.GATEWAY_SHARED_SECRET = GATEWAY_SECRET


def signed_headers(
    method: str, address: str, body: bytes = b"", *, key: ServiceKey = KEY, headers: Headers | None = None
) -> Headers:
    request = AWSRequest(method, f"https://{HOST}{address}", headers, body)
    SigV4Auth(Credentials(key.key_id, key.secret, key.token or None), "execute-api", "eu-central-1").add_auth(request)
    return {"Host": HOST, **dict(request.headers.items())}


def send(method: str, address: str, headers: Headers, body: bytes = b"", *, raw: str | None = "RAW_URI") -> Any:
    """Send a request as gunicorn passes it on; `raw` names the variable in which a server keeps the sent path."""
    parts = urlsplit(address)
    environ: dict[str, Any] = {
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "headers": {"Host": HOST, **headers},
        **({raw: address} if raw else {}),
    }
    data: Any = body  # the type stubs require text
    return APIClient().generic(method, "/", data, headers.get("Content-Type", ""), **environ)


def send_signed(
    method: str, address: str, body: bytes = b"", *, key: ServiceKey = KEY, headers: Headers | None = None
) -> Any:
    return send(method, address, signed_headers(method, address, body, key=key, headers=headers), body)


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


# --- With a signature ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "decoded"),
    [
        ("originals/0a1b/film.mp4", "originals/0a1b/film.mp4"),
        ("originals%2F0a1b%2Ffilm.mp4", "originals/0a1b/film.mp4"),
        ("a%20film~1+1.mp4", "a film~1+1.mp4"),
        ("M%C3%BCller%20100%25.mp4", "Müller 100%.mp4"),
        ("a%252Fb", "a%2Fb"),
    ],
)
def test_a_service_is_known_by_its_signature(sent: str, decoded: str) -> None:
    response = send_signed("GET", f"/echo/{sent}/?b=2&a=1")
    assert response.status_code == 200, response.json()
    assert response.json() == {"service": "transcoder", "key": decoded, "query": {"b": "2", "a": "1"}, "data": {}}


def test_an_equivalent_path_in_another_encoding_is_refused() -> None:
    headers = signed_headers("GET", "/echo/a%2Fb/")
    assert send("GET", "/echo/a%2Fb/", headers).status_code == 200
    assert outcome(send("GET", "/echo/a/b/", headers)) == (403, "signature_wrong")


def test_a_key_with_a_session_token_works() -> None:
    assert send_signed("GET", "/echo/", key=TOKEN_KEY).json()["service"] == "importer"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"status": "COMPLETED"}'),
        ("application/x-www-form-urlencoded", b"status=COMPLETED"),
        ("multipart/form-data; boundary=x",
         b'--x\r\nContent-Disposition: form-data; name="status"\r\n\r\nCOMPLETED\r\n--x--\r\n'),
    ],
)  # fmt: skip
def test_a_body_can_be_read_after_it_was_checked(content_type: str, body: bytes) -> None:
    response = send_signed("POST", "/echo/", body, headers={"Content-Type": content_type})
    assert (response.status_code, response.json()["data"]) == (200, {"status": "COMPLETED"})


def test_another_body_is_refused() -> None:
    headers = signed_headers("POST", "/echo/", b"{}", headers={"Content-Type": "application/json"})
    assert outcome(send("POST", "/echo/", headers, b'{"a": 1}')) == (403, "signature_wrong")


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
def test_a_body_that_is_too_large_is_not_read(content_type: str, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    response = send_signed("POST", "/echo/", b'"' + b"x" * 100 + b'"', headers={"Content-Type": content_type})
    assert outcome(response) == (413, "too_large")


def test_the_sent_path_is_taken_from_request_uri_too() -> None:
    headers = signed_headers("GET", "/echo/a%2Fb/")
    assert send("GET", "/echo/a%2Fb/", headers, raw="REQUEST_URI").status_code == 200


def test_without_the_sent_path_the_decoded_one_is_encoded_again() -> None:
    address = "/echo/M%C3%BCller%20100%25~1/"
    assert send("GET", address, signed_headers("GET", address), raw=None).status_code == 200


def test_a_service_has_none_of_a_users_rights() -> None:
    service = Service("transcoder")
    assert str(service) == service.name == "transcoder"
    assert (service.is_authenticated, service.is_anonymous, service.pk, service.id) == (True, False, None, None)
    assert (service.is_staff, service.is_superuser) == (False, False)
    assert not isinstance(service, User)
    with pytest.raises(FrozenInstanceError):
        service.name = "another"  # type: ignore[misc]
    assert {service, Service("transcoder")} == {service}


def test_throttles_accept_a_service(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    for throttle in Busy.throttle_classes:
        monkeypatch.setattr(throttle, "rate", "1/day", raising=False)
    assert send_signed("GET", "/busy/").status_code == 200
    assert send_signed("GET", "/busy/").status_code == 429


# --- Without a signature ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [None, "", "Bearer abc", "Basic dXNlcjpwYXNz", "AWS AKID:signature"])
def test_an_unsigned_request_is_a_401(authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = send("GET", "/echo/", headers)
    assert outcome(response) == (401, "signature_missing")
    assert response["WWW-Authenticate"] == "AWS4-HMAC-SHA256"


def test_a_presigned_address_is_not_signed() -> None:
    assert outcome(send("GET", "/echo/?X-Amz-Signature=0", {})) == (401, "signature_missing")


@pytest.mark.parametrize("header", ["AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512 x", "aws4-hmac-sha256 x", "AWS4-\xff\x00"])
def test_a_malformed_signature_is_a_403_with_its_code(header: str) -> None:
    response = send("GET", "/echo/", {"Authorization": header})
    assert outcome(response) == (403, "signature_malformed")
    assert response.json()["detail"].endswith(".")


@pytest.mark.parametrize("key", [ServiceKey("a", "AKIDSTRANGER", KEY.secret), ServiceKey("a", KEY.key_id, "another")])
def test_a_wrong_signature_is_a_403_with_its_code(key: ServiceKey) -> None:
    assert outcome(send_signed("GET", "/echo/", key=key)) == (403, "signature_wrong")


def test_an_old_signature_is_a_403_with_its_code() -> None:
    headers = signed_headers("GET", "/echo/") | {"X-Amz-Date": "20200101T000000Z"}
    assert outcome(send("GET", "/echo/", headers)) == (403, "signature_expired")


def test_a_request_id_of_aws_does_not_authenticate(settings: Any) -> None:
    """Any client can send it, with and without a gateway in front."""
    for secret in ("", GATEWAY_SECRET):
        settings.GATEWAY_SHARED_SECRET = secret
        response = send("GET", "/echo/", {"X-Amzn-RequestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"})
        assert outcome(response) == (401, "signature_missing")


# --- Behind a gateway ------------------------------------------------------------------------------------------------


def test_the_gateway_is_known_by_its_secret(gateway: None) -> None:
    response = send("GET", "/echo/", {"X-Gateway-Secret": GATEWAY_SECRET})
    assert (response.status_code, response.json()["service"]) == (200, "gateway")


@pytest.mark.parametrize("secret", ["", "x", GATEWAY_SECRET[:-1], f"{GATEWAY_SECRET}x", "ü", "\x00"])
def test_another_secret_is_refused(gateway: None, secret: str) -> None:
    assert outcome(send("GET", "/echo/", {"X-Gateway-Secret": secret})) == (403, "gateway_refused")


@pytest.mark.parametrize("secret", ["", GATEWAY_SECRET])
def test_without_the_setting_the_header_means_nothing(secret: str) -> None:
    header = {"X-Gateway-Secret": secret}
    assert outcome(send("GET", "/echo/", header)) == (401, "signature_missing")
    assert send_signed("GET", "/echo/", headers=header).json()["service"] == "transcoder"


def test_a_signature_that_a_gateway_passes_on_is_ignored(gateway: None) -> None:
    elsewhere = signed_headers("GET", "/at/the/gateway") | {"X-Gateway-Secret": GATEWAY_SECRET}
    assert send("GET", "/echo/", elsewhere).json()["service"] == "gateway"


def test_services_may_sign_their_requests_beside_a_gateway(gateway: None) -> None:
    assert send_signed("GET", "/echo/").json()["service"] == "transcoder"


# --- Beside users ----------------------------------------------------------------------------------------------------


def test_a_user_is_not_a_service(viewer: User, as_user: Any) -> None:
    assert as_user(viewer).get("/echo/", headers={"Host": HOST}).status_code == 403
    token = open_session(user=viewer).access
    response = send("GET", "/both/", {"Authorization": f"Bearer {token}"})
    assert outcome(response) == (403, "permission_denied")


def test_a_view_can_accept_users_and_services(db: None) -> None:
    assert send_signed("GET", "/both/").json()["service"] == "transcoder"


# --- The path --------------------------------------------------------------------------------------------------------


def arrived(path_info: str, **environ: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.META.update({"PATH_INFO": path_info, **environ})
    return request


@pytest.mark.parametrize(
    ("raw", "path_info", "expected"),
    [
        ("/a%2Fb?c=%2F", "/a/b", "/a%2Fb"),
        ("/a%20b", "/a b", "/a%20b"),
        ("/%C3%BC", "/ü", "/%C3%BC"),
        ("/a%zz", "/a%zz", "/a%zz"),
    ],
)
def test_the_path_is_the_one_that_was_sent(raw: str, path_info: str, expected: str) -> None:
    assert sent_path(arrived(path_info, RAW_URI=raw)) == expected
    assert sent_path(arrived(path_info, REQUEST_URI=raw)) == expected


def test_the_script_name_belongs_to_the_path() -> None:
    assert sent_path(arrived("/a b", SCRIPT_NAME="/site", RAW_URI="/site/a%20b")) == "/site/a%20b"
    assert sent_path(arrived("/a b", SCRIPT_NAME="/site")) == "/site/a%20b"


@pytest.mark.parametrize(
    "raw", ["/another", "/a#b", "http://videos.example.com/a", "//a", "a", "", "*", "/a%00", "/%FF", "\xff"]
)
def test_a_path_that_differs_from_the_routes_is_refused(raw: str) -> None:
    with pytest.raises(SignatureRefused) as caught:
        sent_path(arrived("/a", RAW_URI=raw, REQUEST_URI=raw))
    assert caught.value.code == "signature_malformed"


# --- Settings and schema ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SERVICE_KEYS", "transcoder:S3CR3T-0123456789", "SERVICE_KEYS cannot be read: entry 1 has 2 parts"),
        ("SERVICE_KEYS", "transcoder:AKID:S3CR3T", "SERVICE_KEYS cannot be read: entry 1 has a secret shorter"),
        ("GATEWAY_SHARED_SECRET", "S3CR3T", "GATEWAY_SHARED_SECRET has to have at least 32 characters"),
    ],
)
def test_a_bad_setting_prevents_the_start(name: str, value: str, sentence: str, tmp_path: Path) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(tmp_path), name: value}
    check = [sys.executable, "manage.py", "check"]
    done = subprocess.run(
        check, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "S3CR3T" not in done.stderr


def test_the_schema_shows_signature_and_gateway_secret() -> None:
    schema = SchemaGenerator(patterns=[path("echo/", Echo.as_view())]).get_schema(public=True)  # type: ignore[no-untyped-call]
    assert schema["paths"]["/echo/"]["get"]["security"] == [{"signature": []}, {"gateway": []}]
    schemes = schema["components"]["securitySchemes"]
    assert {name: (scheme["in"], scheme["name"]) for name, scheme in schemes.items()} == {
        "signature": ("header", "Authorization"),
        "gateway": ("header", GATEWAY_HEADER),
    }
