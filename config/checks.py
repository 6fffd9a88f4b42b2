"""Settings that are unsafe or contradict each other, as system checks: what is wrong, and as the hint what to set.

No process starts with such settings, and all of them are reported at once. Commands run the checks themselves (those
that skip Django's other checks name the tag), the web server runs them in config.wsgi. Each check passes the settings
to a function beside it, which tests call with values of their own.
"""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from http.cookies import Morsel
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, register, run_checks
from django.utils.module_loading import import_string

from config.addresses import is_host, is_http_origin, is_http_page, is_private
from config.env_file import quote_value
from config.readers import DEVELOPMENT_SECRET
from media_pipeline.planning.ladder import parse_ladder
from media_pipeline.storage.buckets import S3Connection
from users_app.cognito.user_pool import UserPool
from users_app.http.service_signature import MIN_GATEWAY_SECRET_LENGTH, is_gateway_secret

TAG = "videoflix"
EXAMPLE_SECRETS = frozenset({DEVELOPMENT_SECRET, "change-me", "changeme", "secret"})
MIN_SECRET_LENGTH = 32
MIN_DISTINCT_CHARACTERS = 8  # "xxxx…" is long and no secret
MAX_S3_ATTEMPTS = 8
# Those of a token in RFC 9110, of which RFC 6265 makes the names of cookies.
COOKIE_CHARACTERS = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
MAX_COOKIE_NAME_LENGTH = 100
NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-._")
MIN_BUCKET_LENGTH, MAX_BUCKET_LENGTH, MAX_REGION_LENGTH = 3, 255, 63
POOL_ID = re.compile(r"[a-z]{1,20}(?:-[a-z0-9]{1,20}){1,8}_[0-9A-Za-z]{1,60}")


def startup_problems() -> str:
    """Every error of these checks, as text for a terminal; empty when the platform may start."""
    errors = [error for error in run_checks(tags=[TAG]) if error.is_serious() and not error.is_silenced()]
    # Sorted, because Django keeps its checks in a set.
    return "\n".join(sorted(str(error).removeprefix("?: ") for error in errors))


def problem(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"videoflix.E{number:03}")


# --- Secrets, hosts and cookies --------------------------------------------------------------------------------------


@register(TAG)
def check_safety(**_: Any) -> list[Error]:
    if settings.DEBUG:
        return []
    cookies = ("JWT_COOKIE_SECURE", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    return [
        *safety_problems(
            secret_key=settings.SECRET_KEY,
            fallbacks=settings.SECRET_KEY_FALLBACKS,
            allowed_hosts=settings.ALLOWED_HOSTS,
            is_https=settings.IS_HTTPS,
            cookies_secure={name: getattr(settings, name) for name in cookies},
            samesite=settings.JWT_COOKIE_SAMESITE,
        )
    ]


def safety_problems(
    *,
    secret_key: str,
    fallbacks: Sequence[str],
    allowed_hosts: Sequence[str],
    is_https: bool,
    cookies_secure: Mapping[str, bool],
    samesite: str,
) -> Iterator[Error]:
    if can_be_guessed(secret_key):
        yield problem(
            1,
            f"SECRET_KEY is missing, an example, repetitive or shorter than {MIN_SECRET_LENGTH} characters.",
            "Set it to a long random value (python3 -c 'import secrets; print(secrets.token_urlsafe(50))').",
        )
    if any(map(can_be_guessed, fallbacks)):
        yield problem(2, "SECRET_KEY_FALLBACKS has a value that can be guessed, and it signs people in.", "Remove it.")
    if not allowed_hosts:
        message = "ALLOWED_HOSTS has commas and no host."
        yield problem(3, message, "List the host names that this site is reached by, or leave it empty.")
    if "*" in allowed_hosts:
        yield problem(3, "ALLOWED_HOSTS is '*'.", "List the host names that this site is reached by.")
    if samesite == "None" and not is_https:
        message = "JWT_COOKIE_SAMESITE is None, which browsers accept over https only."
        yield problem(4, message, "Set BACKEND_ORIGIN to https.")
    scheme = "https" if is_https else "http"
    for name, is_secure in cookies_secure.items():
        if is_secure != is_https:
            message = f"{name} is {int(is_secure)} but BACKEND_ORIGIN is {scheme}."
            yield problem(5, message, f"Set {name}={int(is_https)}.")


def can_be_guessed(secret: str) -> bool:
    is_repetitive = len(set(secret)) < MIN_DISTINCT_CHARACTERS
    return secret in EXAMPLE_SECRETS or len(secret) < MIN_SECRET_LENGTH or is_repetitive


@register(TAG)
def check_cookies(**_: Any) -> list[Error]:
    return [
        *cookie_problems(
            access=settings.JWT_ACCESS_COOKIE_NAME,
            refresh=settings.JWT_REFRESH_COOKIE_NAME,
            domain=settings.JWT_COOKIE_DOMAIN or "",
            # Those of Django: the admin site's session, its forms and its messages.
            others=(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages"),
        )
    ]


def cookie_problems(*, access: str, refresh: str, domain: str, others: Sequence[str]) -> Iterator[Error]:
    for name, cookie in {"JWT_ACCESS_COOKIE_NAME": access, "JWT_REFRESH_COOKIE_NAME": refresh}.items():
        if not is_cookie_name(cookie):
            message = f"{name} is {quote_value(cookie)}, which cannot be the name of a cookie."
            yield problem(6, message, "Use letters, digits, hyphens and underscores.")
        if cookie in others:
            message = f"{name} is {quote_value(cookie)}, which is the name of another cookie of this site."
            yield problem(6, message, "Choose another name, or leave it empty.")
    if access == refresh:
        message = "JWT_ACCESS_COOKIE_NAME and JWT_REFRESH_COOKIE_NAME are the same."
        yield problem(6, message, "Choose two names, or leave both empty.")
    if domain and not (domain.isascii() and is_host(domain.removeprefix("."))):
        message = f"JWT_COOKIE_DOMAIN is {quote_value(domain)}."
        yield problem(7, message, "Set it to a domain such as example.com, or leave it empty.")


def is_cookie_name(name: str) -> bool:
    # Python takes a reserved key, such as `path`, for an attribute of a cookie.
    is_reserved = Morsel().isReservedKey(name)
    return 0 < len(name) <= MAX_COOKIE_NAME_LENGTH and COOKIE_CHARACTERS.issuperset(name) and not is_reserved


# --- Buckets, and services that work with them -----------------------------------------------------------------------


@register(TAG)
def check_s3(**_: Any) -> list[Error]:
    return [*s3_problems(settings.S3_CONNECTION)] if settings.S3_CONNECTION else []


def s3_problems(connection: S3Connection) -> Iterator[Error]:
    if not all(connection.buckets.names):
        yield problem(
            11,
            "USE_S3_MEDIA is 1 but no bucket is named.",
            "Set AWS_STORAGE_BUCKET_NAME, or each of S3_RAW_VIDEOS_BUCKET, S3_PROCESSED_VIDEOS_BUCKET and "
            "S3_VIDEO_THUMBNAILS_BUCKET.",
        )
    yield from s3_name_problems(connection)
    if bool(connection.access_key_id) != bool(connection.secret_access_key):
        missing = "AWS_SECRET_ACCESS_KEY" if connection.access_key_id else "AWS_ACCESS_KEY_ID"
        yield problem(12, f"{missing} is missing.", "Set both keys, or neither where the machine's role signs.")
    if connection.session_token and not connection.access_key_id:
        message = "AWS_SESSION_TOKEN is set without the keys that it belongs to."
        yield problem(13, message, "Set those too, or remove it.")
    if connection.attempts > MAX_S3_ATTEMPTS:
        message = f"S3_ATTEMPTS is {connection.attempts}, and each attempt waits twice as long as the one before."
        yield problem(14, message, f"Set it to {MAX_S3_ATTEMPTS} or less.")
    addresses = {
        "AWS_S3_ENDPOINT_URL": connection.endpoint_url,
        "S3_PUBLIC_ENDPOINT_URL": connection.public_endpoint_url,
    }
    for name, url in addresses.items():
        if url and not is_http_origin(url):
            yield problem(15, f"{name} is {quote_value(url)}.", "Set it to an address such as https://s3.example.com.")
    if connection.public_endpoint_url and not connection.endpoint_url:
        message = "S3_PUBLIC_ENDPOINT_URL is set without AWS_S3_ENDPOINT_URL."
        yield problem(16, message, "Set that too, or remove it.")


def s3_name_problems(connection: S3Connection) -> Iterator[Error]:
    """Names that the client of the storage refuses later, or that lead to another host."""
    wrong = {name for name in connection.buckets.names if name and not is_bucket_name(name)}
    for name in sorted(wrong):
        message = f"{quote_value(name)} cannot be the name of a bucket."
        hint = (
            "Correct AWS_STORAGE_BUCKET_NAME, S3_RAW_VIDEOS_BUCKET, S3_PROCESSED_VIDEOS_BUCKET or "
            "S3_VIDEO_THUMBNAILS_BUCKET."
        )
        yield problem(17, message, hint)
    if not is_region(connection.region):
        message = f"AWS_S3_REGION_NAME is {quote_value(connection.region)}."
        yield problem(18, message, "Set it to a region such as eu-central-1.")


def is_bucket_name(name: str) -> bool:
    has_length = MIN_BUCKET_LENGTH <= len(name) <= MAX_BUCKET_LENGTH
    return has_length and NAME_CHARACTERS.issuperset(name) and name[0].isalnum() and name[-1].isalnum()


def is_region(name: str) -> bool:
    """True for a label of DNS, because the region is a part of the storage's host name."""
    is_label = NAME_CHARACTERS.difference("._").issuperset(name) and name.strip("-") == name
    return 0 < len(name) <= MAX_REGION_LENGTH and is_label


@register(TAG)
def check_events(**_: Any) -> list[Error]:
    return [
        *event_problems(
            queue_url=settings.SQS_QUEUE_URL,
            is_external=settings.TRANSCODER == "external",
            has_bucket=settings.S3_CONNECTION is not None,
        )
    ]


def event_problems(*, queue_url: str, is_external: bool, has_bucket: bool) -> Iterator[Error]:
    if queue_url and not is_http_page(queue_url):
        yield problem(
            21, f"SQS_QUEUE_URL is {quote_value(queue_url)}.", "Set it to the address that SQS shows for the queue."
        )
    if is_external and not has_bucket:
        message = "TRANSCODER is external but media lie in a folder, where no other service reaches them."
        yield problem(22, message, "Set USE_S3_MEDIA=1 as well.")


# --- Mail ------------------------------------------------------------------------------------------------------------


@register(TAG)
def check_mail(**_: Any) -> list[Error]:
    pages = ("FRONTEND_URL", "FRONTEND_CONFIRM_URL", "RESET_PASSWORD_URL")
    return [
        *mail_problems(
            host=settings.EMAIL_HOST,
            user=settings.EMAIL_HOST_USER,
            is_starttls=settings.EMAIL_USE_TLS,
            is_tls=settings.EMAIL_USE_SSL,
            pages={name: getattr(settings, name) for name in pages},
            backend=settings.EMAIL_BACKEND,
        )
    ]


def mail_problems(
    *, host: str, user: str, is_starttls: bool, is_tls: bool, pages: Mapping[str, str], backend: str
) -> Iterator[Error]:
    """`pages`: addresses that mails lead to, by the name of their setting; an empty one means the built-in page."""
    for name, url in pages.items():
        if url and not is_http_page(url):
            yield problem(
                31, f"{name} is {quote_value(url)}.", "Set it to a whole address such as https://www.example.com/login."
            )
    if is_starttls and is_tls:
        message = "EMAIL_PORT is 465, which has TLS from the first byte."
        yield problem(32, message, "Remove EMAIL_USE_TLS, or set it to 0.")
    if user and not host:
        message = "EMAIL_HOST_USER is set but EMAIL_HOST is not."
        yield problem(33, message, "Set EMAIL_HOST as well, or remove EMAIL_HOST_USER.")
    if not is_mail_backend(backend):
        message = f"EMAIL_BACKEND is {quote_value(backend)}, which cannot be imported as a mail backend."
        yield problem(
            34, message, "Set it to a name such as django.core.mail.backends.smtp.EmailBackend, or remove it."
        )


def is_mail_backend(name: str) -> bool:
    try:
        backend = import_string(name)
    except (ImportError, TypeError, ValueError):  # the last two for a name without a module, such as ".x"
        return False
    return isinstance(backend, type) and hasattr(backend, "send_messages")


# --- The user pool ---------------------------------------------------------------------------------------------------


@register(TAG)
def check_user_pool(**_: Any) -> list[Error]:
    return [*cognito_problems(settings.USER_POOL)] if settings.USER_POOL else []


def cognito_problems(pool: UserPool) -> Iterator[Error]:
    required = {
        "COGNITO_USER_POOL_ID": pool.id,
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_CLIENT_SECRET": pool.client_secret,
    }
    if missing := [name for name, value in required.items() if not value]:
        message = f"IDENTITY_PROVIDER is cognito, which needs {' and '.join(missing)}."
        yield problem(41, message, "Set what the pool shows, or IDENTITY_PROVIDER=local.")
    if pool.id and not POOL_ID.fullmatch(pool.id):
        message = f"COGNITO_USER_POOL_ID is {quote_value(pool.id)}."
        yield problem(42, message, "Set it to an id such as eu-central-1_AbCdEfGhI.")
    if pool.jwks_url and not is_private(pool.jwks_url):
        message = f"COGNITO_JWKS_URL is {quote_value(pool.jwks_url)}."
        yield problem(43, message, "Set it to a whole address that begins with https://.")
    if pool.endpoint_url and not (is_private(pool.endpoint_url) and is_http_origin(pool.endpoint_url)):
        message = f"COGNITO_ENDPOINT_URL is {quote_value(pool.endpoint_url)}."
        yield problem(44, message, "Set it to a server such as https://cognito.example.com.")
    if names_another_pool(pool):
        shown = quote_value(pool.jwks_url)
        message = f"COGNITO_JWKS_URL is {shown}, which has the keys of another pool than COGNITO_USER_POOL_ID."
        yield problem(45, message, "Remove it, or correct one of them.")


def names_another_pool(pool: UserPool) -> bool:
    """Judges addresses at Amazon only: how other servers name their pools is not known."""
    try:
        parts = urlsplit(pool.jwks_url)
    except ValueError:
        return False
    is_amazons = (parts.hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return is_amazons and pool.id not in parts.path.split("/")


# --- Encoding, and the gateway ---------------------------------------------------------------------------------------


@register(TAG)
def check_ladder(**_: Any) -> list[Error]:
    try:
        parse_ladder(settings.VIDEO_LADDER, crf=settings.VIDEO_CRF)
    except ValueError as error:
        return [problem(51, str(error), "Correct it, or leave VIDEO_LADDER and VIDEO_CRF empty for the defaults.")]
    return []


@register(TAG)
def check_signatures(**_: Any) -> list[Error]:
    """The scope of a signature has slashes between its parts, so none of them may have one."""
    if not settings.SERVICE_KEYS:
        return []
    scope = {"SERVICE_REGION": settings.SERVICE_REGION, "SERVICE_NAME": settings.SERVICE_NAME}
    return [
        problem(53, f"{name} is {quote_value(value)}.", "Use letters, digits, dots, hyphens and underscores.")
        for name, value in scope.items()
        if not NAME_CHARACTERS.issuperset(value)
    ]


@register(TAG)
def check_gateway(**_: Any) -> list[Error]:
    """The message does not repeat the value, which may be a secret with a typing error."""
    secret = settings.GATEWAY_SHARED_SECRET
    if not secret or is_gateway_secret(secret):
        return []
    message = (
        f"GATEWAY_SHARED_SECRET has to have at least {MIN_GATEWAY_SECRET_LENGTH} characters, of ASCII and no spaces."
    )
    return [problem(52, message, "Set it to a long random value.")]
