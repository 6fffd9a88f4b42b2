"""What must hold before anything starts; each problem is one sentence that says what to set."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from media_pipeline.storage.buckets import S3Connection
from users_app.cognito.user_pool import UserPool

DEVELOPMENT_SECRET = "development-only-never-in-production"  # noqa: S105 - refused unless DEBUG
EXAMPLE_SECRETS = frozenset({DEVELOPMENT_SECRET, "change-me", "changeme", "secret"})
LEAST_SECRET_LENGTH = 32
MOST_S3_ATTEMPTS = 8
POOL_ID = re.compile(r"[a-z]{1,20}(?:-[a-z0-9]{1,20}){1,8}_[0-9A-Za-z]{1,60}")
LEAST_DISTINCT = 8  # characters; "xxxx…" is long and no secret


def unsafe_start(
    *,
    debug: bool,
    secret_key: str,
    fallbacks: Sequence[str],
    allowed_hosts: Sequence[str],
    is_https: bool,
    cookies_secure: Mapping[str, bool],
    samesite: str,
) -> list[str]:
    """The reasons not to start; none with DEBUG on."""
    if debug:
        return []
    problems = []
    if can_be_guessed(secret_key):
        problems.append(
            f"SECRET_KEY is missing, an example, repetitive or shorter than {LEAST_SECRET_LENGTH} characters: "
            "set it to a long random value (python -c 'import secrets; print(secrets.token_urlsafe(50))')."
        )
    if any(map(can_be_guessed, fallbacks)):
        problems.append("SECRET_KEY_FALLBACKS has a value that can be guessed, and signs people in: remove it.")
    if "*" in allowed_hosts:
        problems.append("ALLOWED_HOSTS is '*': list the host names that this site is reached by.")
    if samesite == "None" and not is_https:
        problems.append("JWT_COOKIE_SAMESITE is None, which browsers take by https alone: set BACKEND_ORIGIN to https.")
    for name, is_secure in cookies_secure.items():
        if is_secure != is_https:
            scheme = "https" if is_https else "http"
            problems.append(f"{name} is {int(is_secure)} but BACKEND_ORIGIN is {scheme}: set {name}={int(is_https)}.")
    return problems


def can_be_guessed(secret: str) -> bool:
    return secret in EXAMPLE_SECRETS or len(secret) < LEAST_SECRET_LENGTH or len(set(secret)) < LEAST_DISTINCT


def s3_problems(connection: S3Connection) -> list[str]:
    """What is missing or contradicts itself."""
    problems = []
    if not all(connection.buckets.names):
        problems.append(
            "USE_S3_MEDIA is 1 but no bucket is named: set AWS_STORAGE_BUCKET_NAME, or each of S3_RAW_VIDEOS_BUCKET, "
            "S3_PROCESSED_VIDEOS_BUCKET and S3_VIDEO_THUMBNAILS_BUCKET."
        )
    if bool(connection.access_key_id) != bool(connection.secret_access_key):
        missing = "AWS_SECRET_ACCESS_KEY" if connection.access_key_id else "AWS_ACCESS_KEY_ID"
        problems.append(f"{missing} is missing: set both keys, or neither where the machine's role signs.")
    if connection.session_token and not connection.access_key_id:
        problems.append("AWS_SESSION_TOKEN is set without the keys that it belongs to: set those too, or remove it.")
    if connection.attempts > MOST_S3_ATTEMPTS:
        problems.append(
            f"S3_ATTEMPTS is {connection.attempts}, and each waits twice as long as the one before: "
            f"the most it can be is {MOST_S3_ATTEMPTS}."
        )
    addresses = {
        "AWS_S3_ENDPOINT_URL": connection.endpoint_url,
        "S3_PUBLIC_ENDPOINT_URL": connection.public_endpoint_url,
    }
    problems += [
        f"{name} is {url!r}: set it to an address such as https://s3.example.com."
        for name, url in addresses.items()
        if url and not is_http_origin(url)
    ]
    if connection.public_endpoint_url and not connection.endpoint_url:
        problems.append("S3_PUBLIC_ENDPOINT_URL is set without AWS_S3_ENDPOINT_URL: set that too, or remove it.")
    return problems


def event_problems(*, queue_url: str, is_external: bool, has_bucket: bool) -> list[str]:
    problems = []
    if queue_url and not queue_url.startswith(("https://", "http://")):
        problems.append(f"SQS_QUEUE_URL is {queue_url!r}: set it to the address that SQS shows for the queue.")
    if is_external and not has_bucket:
        problems.append(
            "TRANSCODER is external but media lie in a folder, where no other service reaches them: "
            "set USE_S3_MEDIA=1 as well."
        )
    return problems


def mail_problems(*, host: str, user: str, is_starttls: bool, is_tls: bool, pages: Mapping[str, str]) -> list[str]:
    """`pages`: addresses that mails lead to, by the name of their setting; empty ones are built in."""
    problems = [
        f"{name} is {url!r}: set it to a whole address such as https://www.example.com/login."
        for name, url in pages.items()
        if url and not is_http_page(url)
    ]
    if is_starttls and is_tls:
        problems.append("EMAIL_PORT is 465, which has TLS from the first byte: remove EMAIL_USE_TLS, or set it to 0.")
    if user and not host:
        problems.append("EMAIL_HOST_USER is set but no server: set EMAIL_HOST as well, or remove it.")
    return problems


def cognito_problems(pool: UserPool) -> list[str]:
    """Of a site whose accounts a user pool keeps."""
    needed = {
        "COGNITO_USER_POOL_ID": pool.id,
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_CLIENT_SECRET": pool.client_secret,
    }
    problems = []
    if missing := [name for name, value in needed.items() if not value]:
        problems.append(
            f"IDENTITY_PROVIDER is cognito, which needs {' and '.join(missing)}: "
            "set what the pool shows, or IDENTITY_PROVIDER=local."
        )
    if pool.id and not POOL_ID.fullmatch(pool.id):
        problems.append(f"COGNITO_USER_POOL_ID is {pool.id!r}: set it to an id such as eu-central-1_AbCdEfGhI.")
    if pool.jwks_url and not is_guarded(pool.jwks_url):
        problems.append(f"COGNITO_JWKS_URL is {pool.jwks_url!r}: set it to a whole address that begins with https://.")
    if pool.endpoint_url and not (is_guarded(pool.endpoint_url) and is_http_origin(pool.endpoint_url)):
        problems.append(
            f"COGNITO_ENDPOINT_URL is {pool.endpoint_url!r}: set it to a server such as https://cognito.example.com."
        )
    if names_another_pool(pool):
        problems.append(
            f"COGNITO_JWKS_URL is {pool.jwks_url!r}, which has the keys of another pool than COGNITO_USER_POOL_ID: "
            "remove it, or correct one of them."
        )
    return problems


def names_another_pool(pool: UserPool) -> bool:
    """Of addresses at Amazon; nobody knows how others name theirs."""
    try:
        parts = urlsplit(pool.jwks_url)
    except ValueError:
        return False
    is_amazons = (parts.hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return is_amazons and pool.id not in parts.path.split("/")


def is_guarded(url: str) -> bool:
    """Whether nobody on the way reads or changes what goes there: http leads to this machine only."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "https" or not parts.hostname:
            return bool(parts.hostname)
        return parts.scheme == "http" and (parts.hostname == "localhost" or ip_address(parts.hostname).is_loopback)
    except ValueError:
        return False


def is_http_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def is_http_origin(url: str) -> bool:
    """A scheme and a host, perhaps a port, and nothing else."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0 and not parts.path
    except ValueError:
        return False
