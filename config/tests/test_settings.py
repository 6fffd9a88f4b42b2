"""Values with which the site would start and then fail: reading the settings stops with one sentence."""

import runpy
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env_file import BASE_DIR

HUGE = "9" * 30
# The largest value of each number, and the smallest.
RANGES = {
    "WEB_CONNECTIONS_PER_ADDRESS": ("1", "100000"),
    "WEB_THREADS_PER_ADDRESS": ("1", "1000"),
    "REQUEST_SECONDS": ("0.1", "3600"),
    "LEAST_BYTES_PER_SECOND": ("1", "1000000000"),
    "MAX_UPLOAD_MB": ("1", "5000000"),
    "MAX_DURATION_MINUTES": ("1", "10080"),
    "UPLOAD_URL_MINUTES": ("1", "10080"),
    "UPLOAD_EXPIRE_HOURS": ("1", "8760"),
    "MEDIA_GRANT_MINUTES": ("1", "10080"),
    "VIDEO_CRF": ("0", "100"),
    "LEASE_SECONDS": ("1", "86400"),
    "STALL_SECONDS": ("1", "86400"),
    "REAPER_INTERVAL_SECONDS": ("0.1", "3600"),
    "MAX_ATTEMPTS": ("1", "100"),
    "OLD_VERSION_MINUTES": ("0", "525600"),
    "WORK_MAX_MB": ("0", "1000000000"),
    "DISK_RESERVE_MB": ("0", "1000000000"),
    "SQS_WAIT_SECONDS": ("0", "20"),
    "DB_POOL_SIZE": ("0", "1000"),
    "ACCESS_TOKEN_EXPIRE_MINUTES": ("1", "525600"),
    "REFRESH_TOKEN_EXPIRE_DAYS": ("1", "400"),
    "RATE_LIMIT_DEFAULT": ("0", "1000000"),
    "RATE_LIMIT_AUTH": ("0", "1000000"),
    "RATE_LIMIT_STREAM": ("0", "1000000"),
    "RATE_LIMIT_UPLOAD": ("0", "1000000"),
    "AUDIT_DAYS": ("1", "36500"),
    "EMAIL_PORT": ("1", "65535"),
    "MAIL_RETRY_SECONDS": ("0.1", "86400"),
    "DB_PORT": ("1", "65535"),
    "REDIS_PORT": ("1", "65535"),
    "REDIS_DB": ("0", "10000"),
    "S3_TIMEOUT_SECONDS": ("1", "3600"),
    "S3_ATTEMPTS": ("1", "100"),
    "COGNITO_TIMEOUT_SECONDS": ("1", "600"),
}
# Settings that are read only beside these.
BESIDE = {"DB_HOST": "db", "USE_S3_MEDIA": "1", "IDENTITY_PROVIDER": "cognito"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads the settings module anew with these values; the settings of the other tests stay."""

    def run(**values: str) -> dict[str, Any]:
        for name in ("DATABASE_URL", "POSTGRES_DATABASE_URL", "USE_SQLITE_LOCAL", "REDIS_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(BASE_DIR / "config" / "settings.py"))

    return run


@pytest.mark.parametrize("end", [0, 1], ids=["smallest", "largest"])
def test_the_ends_of_each_range_are_accepted_and_make_times_that_exist(read: Any, end: int) -> None:
    settings = read(**BESIDE, **{name: values[end] for name, values in RANGES.items()})
    now = datetime.now(UTC)
    for span in (settings["ACCESS_TOKEN_LIFETIME"], settings["REMEMBERED_SESSION_LIFETIME"]):
        assert now - span < now < now + span
    assert settings["DATABASES"]["default"]["PORT"] == RANGES["DB_PORT"][end]


@pytest.mark.parametrize("name", RANGES)
def test_a_number_beyond_its_range_stops_the_start(read: Any, name: str) -> None:
    least, most = RANGES[name]
    for value in (HUGE, str(int(most) + 1), "-1"):
        with pytest.raises(
            ImproperlyConfigured, match=rf"^{name} is '{value}'; set it to a (whole )?number from "
        ) as no:
            read(**BESIDE, **{name: value})
        assert str(no.value).endswith(f" from {least} to {most}.")


@pytest.mark.parametrize("name", ["REQUEST_SECONDS", "LEASE_SECONDS", "MAIL_RETRY_SECONDS", "S3_TIMEOUT_SECONDS"])
def test_the_largest_of_all_floating_numbers_stops_the_start(read: Any, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is '1e308'; set it to a number from "):
        read(**BESIDE, **{name: "1e308"})


@pytest.mark.parametrize("value", ["null", "x", "http://[::1", "https//foo", "ftp://x", "https://*.example.com"])
@pytest.mark.parametrize("name", ["BACKEND_ORIGIN", "CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS"])
def test_only_origins_become_trusted(read: Any, name: str, value: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=rf"^{name} (is|has) '.+'; set it to scheme, host and perhaps a port"
    ):
        read(**{name: value})


@pytest.mark.parametrize("name", ["DATA_DIR", "MEDIA_ROOT"])
def test_the_folder_of_an_unknown_user_stops_the_start(read: Any, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is '~nosuchuser/x', which is no folder "):
        read(**{name: "~nosuchuser/x"})
