"""Groups of settings that are read together: each function takes the environment and returns one value of settings.py.

Values that contradict each other are not refused here but by config.checks, which reports all of them at once.
"""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import redis
from django.core.exceptions import ImproperlyConfigured

from config.addresses import is_host, is_http_origin
from config.env import Env
from config.env_file import quote_value, shorten
from config.http.forwarded import parse_networks
from media_pipeline.storage.buckets import Buckets, S3Connection
from users_app.cognito.user_pool import UserPool
from users_app.http.service_signature import ServiceKey, parse_service_keys

DEVELOPMENT_SECRET = "development-only-never-in-production"  # noqa: S105 - refused unless DEBUG
MAX_PORT = 65_535
ORIGIN_HINT = "set it to scheme, host and perhaps a port, such as https://www.example.com."
SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE takes the write lock when a transaction begins: two writers queue up instead of one failing half-way.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000; "
        "PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-20000;"
    ),
}


def read_database(env: Env, *, data_dir: Path, pool_size: int) -> dict[str, Any]:
    """The database of DATABASE_URL, else the PostgreSQL of DB_NAME or DB_HOST, else an SQLite file in `data_dir`."""
    url = env.text("DATABASE_URL", "POSTGRES_DATABASE_URL")
    if env.boolean("USE_SQLITE_LOCAL", default=False) or (not url and not env.raw("DB_NAME", "DB_HOST")):
        url = f"sqlite:///{data_dir / 'videoflix.sqlite3'}"
    if not url:
        database: dict[str, Any] = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": env.text("DB_NAME", default="videoflix"),
            "USER": env.text("DB_USER", default="videoflix"),
            "PASSWORD": env.text("DB_PASSWORD"),
            "HOST": env.text("DB_HOST", default="localhost"),
            "PORT": str(env.integer("DB_PORT", default=5432, least=1, most=MAX_PORT)),
        }
        return on_postgresql(env, database, pool_size=pool_size)
    try:
        database = dict(dj_database_url.parse(url))
    except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError):
        raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:5432/name.") from None
    if database["ENGINE"] == "django.db.backends.sqlite3":
        if ":memory:" in database["NAME"] or "mode=memory" in database["NAME"]:
            raise ImproperlyConfigured(
                "DATABASE_URL names a database in memory, of which each thread would have its own; "
                "name a file, as in sqlite:////srv/videoflix.sqlite3, or leave it empty."
            )
        # Tests need a file too: threads that share a database in memory have other locks than the real one.
        test = {"NAME": str(data_dir / "tests.sqlite3")}
        return {**database, "CONN_MAX_AGE": None, "OPTIONS": SQLITE_OPTIONS, "TEST": test}
    return on_postgresql(env, database, pool_size=pool_size)


def on_postgresql(env: Env, database: dict[str, Any], *, pool_size: int) -> dict[str, Any]:
    """`database` with the options of its connections: TLS, and a pool or one connection per thread."""
    options = {**database.get("OPTIONS", {}), "connect_timeout": 5}
    if env.boolean("DB_SSL_REQUIRE", default=False):
        root_cert = env.text("DB_SSL_ROOTCERT")
        options |= {"sslmode": "verify-full", "sslrootcert": root_cert} if root_cert else {"sslmode": "require"}
    if pool_size:
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
    # Django allows no kept connections beside a pool; without one each thread keeps its own for a while.
    return {**database, "OPTIONS": options, "CONN_MAX_AGE": 0 if pool_size else 60, "CONN_HEALTH_CHECKS": True}


def read_redis_url(env: Env) -> str:
    """The address of REDIS_URL, else that of REDIS_HOST, REDIS_PORT and REDIS_DB. Messages do not show a password."""
    if url := env.raw("REDIS_URL"):
        if not is_redis_address(url):
            raise ImproperlyConfigured("REDIS_URL cannot be read; set it to an address such as redis://host:6379/0.")
        return url
    host = env.text("REDIS_HOST", default="localhost")
    port = env.integer("REDIS_PORT", default=6379, least=1, most=MAX_PORT)
    number = env.integer("REDIS_DB", default=0, least=0, most=10_000)
    # An IPv6 address stands in brackets.
    url = f"redis://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{port}/{number}"
    if not is_host(host.removeprefix("[").removesuffix("]")) or not is_redis_address(url):
        raise ImproperlyConfigured(f"REDIS_HOST is {quote_value(host)}; set it to a host name or an IP address.")
    return url


def is_redis_address(url: str) -> bool:
    """True when the client can use the address; connects to nothing."""
    try:
        # The client reads parameters of the address when it makes the first connection.
        redis.ConnectionPool.from_url(url).make_connection()
        path = urlsplit(url).path
    except (TypeError, ValueError, redis.RedisError):
        return False
    if url.startswith("unix:"):
        return bool(path)
    # The client takes database 0 for a path that is no number, and localhost for an empty host.
    has_database = path in ("", "/") or (path.isascii() and path[1:].isdigit())
    return has_database and is_host(urlsplit(url).hostname or "")


def read_origin(env: Env, name: str, *, default: str) -> str:
    origin = env.text(name, default=default).rstrip("/")
    if not is_http_origin(origin):
        raise ImproperlyConfigured(f"{name} is {quote_value(origin)}; {ORIGIN_HINT}")
    return origin


def read_origins(env: Env, name: str, *, default: tuple[str, ...]) -> list[str]:
    """A comma-separated list. `null` is refused too: a sandboxed frame of any site sends it as its origin."""
    origins = env.names(name, default=default)
    if wrong := [origin for origin in origins if not is_http_origin(origin)]:
        raise ImproperlyConfigured(f"{name} has {quote_value(wrong[0])}; {ORIGIN_HINT}")
    return origins


def read_s3(env: Env) -> S3Connection | None:
    """None while media lie in MEDIA_ROOT."""
    if not env.boolean("USE_S3_MEDIA", default=False):
        return None
    shared = env.text("AWS_STORAGE_BUCKET_NAME")
    return S3Connection(
        buckets=Buckets(
            originals=env.text("S3_RAW_VIDEOS_BUCKET", default=shared),
            processed=env.text("S3_PROCESSED_VIDEOS_BUCKET", default=shared),
            pictures=env.text("S3_VIDEO_THUMBNAILS_BUCKET", default=shared),
        ),
        region=env.text("AWS_S3_REGION_NAME", "REGION_NAME", default="us-east-1"),
        endpoint_url=env.text("AWS_S3_ENDPOINT_URL").rstrip("/"),
        public_endpoint_url=env.text("S3_PUBLIC_ENDPOINT_URL").rstrip("/"),
        access_key_id=env.text("AWS_ACCESS_KEY_ID"),
        secret_access_key=env.text("AWS_SECRET_ACCESS_KEY"),
        session_token=env.text("AWS_SESSION_TOKEN"),
        timeout_s=env.decimal("S3_TIMEOUT_SECONDS", default=20, least=1, most=3600),
        # The smaller limit is a check (E014), which gives its reason.
        attempts=env.integer("S3_ATTEMPTS", default=6, least=1, most=100),
    )


def read_user_pool(env: Env) -> UserPool | None:
    """None while this site keeps the accounts itself."""
    if env.choice("IDENTITY_PROVIDER", default="local", choices=("local", "cognito")) == "local":
        return None
    return UserPool(
        id=env.text("COGNITO_USER_POOL_ID"),
        client_id=env.text("COGNITO_CLIENT_ID"),
        client_secret=env.text("COGNITO_CLIENT_SECRET"),
        jwks_url=env.text("COGNITO_JWKS_URL"),
        endpoint_url=env.text("COGNITO_ENDPOINT_URL").rstrip("/"),
        timeout_s=env.decimal("COGNITO_TIMEOUT_SECONDS", default=5, least=1, most=600),
    )


def read_trusted_proxies(env: Env) -> list[IPv4Network | IPv6Network]:
    try:
        return parse_networks(env.names("TRUSTED_PROXIES"))
    except ValueError as error:
        raise ImproperlyConfigured(
            f"TRUSTED_PROXIES has an entry that is no address or network: {shorten(str(error))}."
        ) from None


def read_service_keys(env: Env) -> tuple[ServiceKey, ...]:
    try:
        return parse_service_keys(env.text("SERVICE_KEYS"))
    except ValueError as error:
        raise ImproperlyConfigured(f"SERVICE_KEYS cannot be read: {error}.") from None
