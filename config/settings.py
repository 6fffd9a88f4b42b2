"""Django's settings: one table, read from top to bottom.

Values come from config.env, groups of them by config.readers; config.checks refuses those that contradict each other.
DEBUG only decides what Django shows on errors, whether unsafe values are refused, and whether static files are read
anew for each request.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from config import logs, readers
from config.admin_site import theme
from config.env import BASE_DIR, load_env
from config.http.static_version import static_version
from content_app.services.storage.storage_options import file_storage
from media_pipeline.ffmpeg.sandbox import Demand
from media_pipeline.planning.ladder import PRESETS

env = load_env()

# The largest values of settings. Amazon signs an address for a week at most, and browsers keep a cookie for 400 days.
HOUR_S, DAY_S = 3600, 86_400
WEEK_MINUTES, YEAR_MINUTES = 7 * 24 * 60, 365 * 24 * 60
YEAR_HOURS, COOKIE_DAYS, CENTURY_DAYS = 365 * 24, 400, 36_500
MAX_FILE_MB, MAX_DISK_MB = 5_000_000, 10**9  # the largest object of S3, and a petabyte
MAX_RATE = 10**6

# --- Folders ---------------------------------------------------------------------------------------------------------
# config.apps makes them when the application starts.
DATA_DIR = env.folder("DATA_DIR", default=BASE_DIR / "var")
MEDIA_ROOT = env.folder("MEDIA_ROOT", default=DATA_DIR / "media")
WORK_DIR = DATA_DIR / "work"
# On the same file system as the media, so that storing an upload is a rename and not a second copy.
FILE_UPLOAD_TEMP_DIR = MEDIA_ROOT / "incoming"
STATIC_CACHE = DATA_DIR / "static"

# --- Web -------------------------------------------------------------------------------------------------------------
DEBUG = env.boolean("DEBUG", default=False)
# Django itself raises for an empty secret, before any check runs; config.checks refuses this default unless DEBUG.
SECRET_KEY = env.text("SECRET_KEY", default=readers.DEVELOPMENT_SECRET)
# Former secrets: their signatures stay valid, so that a new SECRET_KEY signs nobody out.
SECRET_KEY_FALLBACKS = list(env.names("SECRET_KEY_FALLBACKS"))
BACKEND_ORIGIN = readers.read_origin(env, "BACKEND_ORIGIN", default="http://localhost:8000")
IS_HTTPS = urlsplit(BACKEND_ORIGIN).scheme == "https"
ALLOWED_HOSTS = env.names(
    "ALLOWED_HOSTS",
    default=tuple({urlsplit(BACKEND_ORIGIN).hostname or "localhost", "localhost", "127.0.0.1", "[::1]"}),
)
CORS_ALLOWED_ORIGINS = readers.read_origins(env, "CORS_ALLOWED_ORIGINS", default=("http://localhost:4200",))
CORS_ALLOW_CREDENTIALS = env.boolean("CORS_ALLOW_CREDENTIALS", default=True)
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type", "if-match", "if-none-match", "range", "x-request-id", "x-retry"),
    *("tus-resumable", "upload-checksum", "upload-length", "upload-metadata", "upload-offset"),
]
CORS_EXPOSE_HEADERS = [
    *("Content-Range", "ETag", "Retry-After", "X-Request-ID"),
    *("Location", "Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset"),
    *("Tus-Checksum-Algorithm", "Tus-Extension", "Tus-Max-Size", "Tus-Resumable", "Tus-Version"),
]
CSRF_TRUSTED_ORIGINS = readers.read_origins(env, "CSRF_TRUSTED_ORIGINS", default=(BACKEND_ORIGIN,))
CSRF_COOKIE_SECURE = env.boolean("CSRF_COOKIE_SECURE", default=IS_HTTPS)
SESSION_COOKIE_SECURE = env.boolean("SESSION_COOKIE_SECURE", default=IS_HTTPS)
TRUSTED_PROXIES = readers.read_trusted_proxies(env)
# Limits of one web process for one address; behind a trusted proxy, for the address that the proxy names.
WEB_CONNECTIONS_PER_ADDRESS = env.integer("WEB_CONNECTIONS_PER_ADDRESS", default=100, least=1, most=100_000)
WEB_THREADS_PER_ADDRESS = env.integer("WEB_THREADS_PER_ADDRESS", default=8, least=1, most=1000)
# The headers of a request must arrive within this time. A body may pause as long, and must come at this rate.
REQUEST_SECONDS = env.decimal("REQUEST_SECONDS", default=20, least=0.1, most=HOUR_S)
LEAST_BYTES_PER_SECOND = env.integer("LEAST_BYTES_PER_SECOND", default=2000, least=1, most=10**9)
X_FRAME_OPTIONS = "SAMEORIGIN"
SECURE_REFERRER_POLICY = "same-origin"

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # both forms are routed, see config.routes

INSTALLED_APPS = [
    "config.apps.WiringConfig",
    "users_app",
    "content_app",
    "whitenoise.runserver_nostatic",
    "unfold",  # before the admin, whose templates and site it replaces
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_rq",
]
MIDDLEWARE = [
    "config.http.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "config.http.static_files.StaticFiles",
    "corsheaders.middleware.CorsMiddleware",
    "config.http.middleware.BodyLimits",
    "config.http.middleware.StaffPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "users_app.staff.session.StaffSignIn",
    "users_app.http.audit_middleware.AuditTrail",
    # After the session, because it needs the sender of a large form. The CSRF check, which reads the body, still
    # follows: it runs just before the view.
    "content_app.api.uploads.forms.UploadLimit",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"  # dates look the same on every page
# The version is a folder, not a part of file names: scripts import each other by relative addresses.
STATIC_URL = f"/static/{static_version(BASE_DIR)}/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # no collectstatic step before the first page

# --- Uploads and media -----------------------------------------------------------------------------------------------
MEDIA_URL = "/media/"
MAX_UPLOAD_MB = env.integer("MAX_UPLOAD_MB", default=4096, least=1, most=MAX_FILE_MB)
MAX_DURATION_MINUTES = env.integer("MAX_DURATION_MINUTES", default=240, least=1, most=WEEK_MINUTES)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000  # of request bodies without files
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_HANDLERS = [
    "content_app.api.uploads.forms.WholeUploadsOnly",
    "content_app.api.uploads.forms.TemporaryFiles",
]
UPLOAD_URL_MINUTES = env.integer("UPLOAD_URL_MINUTES", default=60, least=1, most=WEEK_MINUTES)
UPLOAD_EXPIRE_HOURS = env.integer("UPLOAD_EXPIRE_HOURS", default=24, least=1, most=YEAR_HOURS)
MEDIA_GRANT_MINUTES = env.integer("MEDIA_GRANT_MINUTES", default=360, least=1, most=WEEK_MINUTES)
VIDEO_LADDER = env.names("VIDEO_LADDER", default=("120p", "360p", "720p", "1080p"))
VIDEO_PRESET = env.choice("VIDEO_PRESET", default="veryfast", choices=PRESETS)
# The smaller limit, that of the encoder, is a check (E051).
VIDEO_CRF = env.integer("VIDEO_CRF", default=0, least=0, most=100) or None
FFMPEG_BIN = env.text("FFMPEG_BIN")
SANDBOX = Demand(env.choice("SANDBOX", default=Demand.BEST, choices=[*Demand]))
# A worker holds the video that it processes by a lease in the database; tests shorten these times.
LEASE_SECONDS = env.decimal("LEASE_SECONDS", default=30, least=1, most=DAY_S)
STALL_SECONDS = env.decimal("STALL_SECONDS", default=120, least=1, most=DAY_S)
REAPER_INTERVAL_SECONDS = env.decimal("REAPER_INTERVAL_SECONDS", default=5, least=0.1, most=HOUR_S)
MAX_ATTEMPTS = env.integer("MAX_ATTEMPTS", default=3, least=1, most=100)
OLD_VERSION_MINUTES = env.integer("OLD_VERSION_MINUTES", default=MEDIA_GRANT_MINUTES, least=0, most=YEAR_MINUTES)
WORK_MAX_MB = env.integer("WORK_MAX_MB", default=0, least=0, most=MAX_DISK_MB)
# None means a share of each disk, see content_app.services.storage.disk_space.
DISK_RESERVE_MB = (
    env.integer("DISK_RESERVE_MB", default=0, least=0, most=MAX_DISK_MB) if env.raw("DISK_RESERVE_MB") else None
)

# --- S3 --------------------------------------------------------------------------------------------------------------
S3_CONNECTION = readers.read_s3(env)
SQS_QUEUE_URL = env.text("SQS_QUEUE_URL")
SQS_WAIT_SECONDS = env.integer("SQS_WAIT_SECONDS", default=20, least=0, most=20)
TRANSCODER = env.choice("TRANSCODER", default="internal", choices=("internal", "external"))
STORAGES = {
    # A signed address of an original lasts no longer than one for uploading.
    "default": file_storage(S3_CONNECTION, url_lifetime_s=UPLOAD_URL_MINUTES * 60),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- Database --------------------------------------------------------------------------------------------------------
# Connections of one process, shared by its threads. A worker has one thread and needs no pool.
DB_POOL_SIZE = env.integer("DB_POOL_SIZE", default=0, least=0, most=1000)
DATABASES = {"default": readers.read_database(env, data_dir=DATA_DIR, pool_size=DB_POOL_SIZE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: the queue and the cache ----------------------------------------------------------------------------------
REDIS_URL = readers.read_redis_url(env)
# A Redis that is down must not hold up requests: short timeouts, and callers go on without it.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # A list: Django takes a comma in a single text, such as one in a password, for the end of an address.
        "LOCATION": [REDIS_URL],
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}
RQ_QUEUES = {
    name: {"URL": REDIS_URL, "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 2}} for name in ("default", "media")
}

# --- People ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "users_app.User"
PASSWORD_HASHERS = [
    "users_app.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
JWT_ACCESS_COOKIE_NAME = env.text("JWT_ACCESS_COOKIE_NAME", default="vf_access")
JWT_REFRESH_COOKIE_NAME = env.text("JWT_REFRESH_COOKIE_NAME", default="vf_refresh")
JWT_COOKIE_SECURE = env.boolean("JWT_COOKIE_SECURE", default=IS_HTTPS)
JWT_COOKIE_SAMESITE = env.choice("JWT_COOKIE_SAMESITE", default="Lax", choices=("Lax", "Strict", "None"))
JWT_COOKIE_DOMAIN = env.text("JWT_COOKIE_DOMAIN") or None
ACCESS_TOKEN_LIFETIME = timedelta(
    minutes=env.integer("ACCESS_TOKEN_EXPIRE_MINUTES", default=5, least=1, most=YEAR_MINUTES)
)
SESSION_LIFETIME = timedelta(hours=1)
REMEMBERED_SESSION_LIFETIME = timedelta(
    days=env.integer("REFRESH_TOKEN_EXPIRE_DAYS", default=7, least=1, most=COOKIE_DAYS)
)
REFRESH_GRACE = timedelta(seconds=10)
# Keys are missing on purpose: users_app.tokens derives one for each purpose. users_app.checks says what may be changed.
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": SESSION_LIFETIME,
    "LEEWAY": 0,
    "USER_ID_CLAIM": "sub",
    "AUTH_HEADER_TYPES": ("Bearer",),
}
USER_POOL = readers.read_user_pool(env)
# Pages that may act with a person's cookies: those of this site and of the configured front ends.
TRUSTED_ORIGINS = frozenset({BACKEND_ORIGIN, *CORS_ALLOWED_ORIGINS, *CSRF_TRUSTED_ORIGINS})
DEFAULT_ADMIN_EMAIL = env.text("DEFAULT_ADMIN_EMAIL", "DJANGO_SUPERUSER_EMAIL")
DEFAULT_ADMIN_PASSWORD = env.text("DEFAULT_ADMIN_PASSWORD", "DJANGO_SUPERUSER_PASSWORD")
LOGIN_URL = "/login/"
# Requests a minute (or a day, by the name); 0 means no limit.
RATE_LIMITS = {
    "default": env.integer("RATE_LIMIT_DEFAULT", default=600, least=0, most=MAX_RATE),
    "auth": env.integer("RATE_LIMIT_AUTH", default=20, least=0, most=MAX_RATE),
    "stream": env.integer("RATE_LIMIT_STREAM", default=60, least=0, most=MAX_RATE),
    "upload": env.integer("RATE_LIMIT_UPLOAD", default=60, least=0, most=MAX_RATE),
    "address_question": 6,
    "address_questions_a_day": 60,
}
# Pages of a front end: where a confirmed address ends, and where links in mails lead. Unset means the built-in pages.
FRONTEND_URL = env.text("FRONTEND_URL")
FRONTEND_CONFIRM_URL = env.text("FRONTEND_CONFIRM_URL")
RESET_PASSWORD_URL = env.text("RESET_PASSWORD_URL")
CONFIRM_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(hours=1)
UNCONFIRMED_LIFETIME = timedelta(days=7)  # then an account that was never confirmed is deleted
# How long the audit trail keeps its entries.
AUDIT_DAYS = env.integer("AUDIT_DAYS", default=180, least=1, most=CENTURY_DAYS)

# --- Mail ------------------------------------------------------------------------------------------------------------
SUBMISSION_PORT, SUBMISSIONS_PORT = 587, 465  # plain text that STARTTLS encrypts, and TLS from the first byte
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", default=SUBMISSION_PORT, least=1, most=readers.MAX_PORT)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=EMAIL_PORT == SUBMISSION_PORT)
EMAIL_USE_SSL = EMAIL_PORT == SUBMISSIONS_PORT
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_BACKEND = env.text(
    "EMAIL_BACKEND", default=f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
)
DEFAULT_FROM_EMAIL = env.text(
    "DEFAULT_FROM_EMAIL", default=f"Videoflix <no-reply@{urlsplit(BACKEND_ORIGIN).hostname or 'localhost'}>"
)
MAILS_AN_HOUR = 5  # to one address, of the mails that any visitor can ask for; 0 means no limit
MAIL_RETRY_SECONDS = env.decimal("MAIL_RETRY_SECONDS", default=60, least=0.1, most=DAY_S)

# --- Services --------------------------------------------------------------------------------------------------------
SERVICE_KEYS = readers.read_service_keys(env)
SERVICE_REGION = env.text("SERVICE_REGION", "AWS_S3_REGION_NAME", "REGION_NAME", default="us-east-1")
SERVICE_NAME = env.text("SERVICE_NAME", default="execute-api")
GATEWAY_SHARED_SECRET = env.text("GATEWAY_SHARED_SECRET")

# --- Admin site ------------------------------------------------------------------------------------------------------
LOGIN_REDIRECT_URL = "/admin/"  # where the sign-in page of the admin site leads
UNFOLD = theme.UNFOLD
RQ_SHOW_ADMIN_LINK = False  # the sidebar leads to /django-rq/

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["users_app.http.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["users_app.http.throttles.Limit"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.http.parsers.SafeJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.schema.Schema",
    "EXCEPTION_HANDLER": "config.http.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Videoflix",
    "VERSION": "1.0.0",
    "DESCRIPTION": "A self-hosted video-on-demand platform: upload, adaptive HLS, watch.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/(?:api/v1/)?",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {"RoleEnum": "users_app.roles.Role.choices"},
    "PREPROCESSING_HOOKS": ["config.openapi.schema.only_canonical_routes"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.openapi.schema.describe_whole"],
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Logs ------------------------------------------------------------------------------------------------------------
LOG_FORMAT = env.choice("LOG_FORMAT", default="plain", choices=logs.FORMATS)
LOG_LEVEL = env.choice("LOG_LEVEL", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logs.logging_config(LOG_FORMAT, LOG_LEVEL)
