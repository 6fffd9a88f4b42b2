"""Settings that are read in groups: which values stop the start, each with one sentence."""

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import Env
from config.readers import read_database, read_origin, read_origins, read_redis_url, read_trusted_proxies


def database(**values: str) -> object:
    return read_database(Env(values), data_dir=Path("/data"), pool_size=0)["NAME"]


def test_a_database_is_a_file_or_a_server() -> None:
    assert database() == "/data/videoflix.sqlite3"
    assert database(DATABASE_URL="sqlite:////srv/films.sqlite3") == "/srv/films.sqlite3"
    assert database(DATABASE_URL="postgres://videoflix:secret@db:5432/films") == "films"
    assert database(DB_HOST="db", DB_PORT="6432") == "videoflix"


@pytest.mark.parametrize("path", ["", "/", ":memory:", "/:memory:", "/file::memory:", "/file:x%3Fmode=memory"])
def test_a_database_in_memory_is_refused(path: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL names a database in memory, of which each thread"):
        database(DATABASE_URL=f"sqlite://{path}")


@pytest.mark.parametrize("port", ["x", "0", "-1", "65536"])
def test_a_database_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^DB_PORT is '{port}'; set it to a whole number"):
        database(DB_HOST="db", DB_PORT=port)


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis",
        "redis://redis:6379/0",
        "redis://:a,p%40ss@redis:6379/1",
        "rediss://user:pass@redis.example.com:6380/0?ssl_cert_reqs=none",
        "redis://[::1]:6379/0?db=2",
        "unix:///a%20b/redis.sock?db=0",
    ],
)
def test_the_address_of_redis_is_taken_as_it_is(url: str) -> None:
    assert read_redis_url(Env({"REDIS_URL": url, "REDIS_HOST": "other"})) == url


@pytest.mark.parametrize(
    "url",
    [
        "x",
        "http://h",
        "redis://",
        "redis://secret@h:99999/0",
        "redis://h:x/0",
        "redis://h h/0",
        "redis://[::1/0",
        "redis://h/films",
        "redis://h/-1",
        "redis://h/0?db=x",
        "redis://h/0?color=red",
        "redis://h/0?protocol=9",
        "rediss://h/0?ssl_cert_reqs=perhaps",
        "redis://a,redis://b",
        "unix://",
    ],
)
def test_an_address_that_is_none_of_redis_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as stopped:
        read_redis_url(Env({"REDIS_URL": url}))
    assert str(stopped.value) == "REDIS_URL cannot be read; set it to an address such as redis://host:6379/0."


def test_redis_may_be_set_by_its_parts() -> None:
    assert read_redis_url(Env({})) == "redis://localhost:6379/0"
    parts = {"REDIS_HOST": "my_redis", "REDIS_PORT": "7000", "REDIS_DB": "3"}
    assert read_redis_url(Env(parts)) == "redis://my_redis:7000/3"
    assert read_redis_url(Env({"REDIS_HOST": "::1"})) == "redis://[::1]:6379/0"
    assert read_redis_url(Env({"REDIS_HOST": "[::1]"})) == "redis://[::1]:6379/0"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_HOST", "a b"),
        ("REDIS_HOST", "u@h"),
        ("REDIS_HOST", "h/1"),
        ("REDIS_HOST", "[h"),
        ("REDIS_PORT", "-1"),
        ("REDIS_DB", "-1"),
    ],
)
def test_a_part_that_is_wrong_is_refused(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is '{re.escape(value)}'; set it to a "):
        read_redis_url(Env({name: value}))


@pytest.mark.parametrize("origin", ["https://a.example", "http://localhost:4200", "http://[::1]:8000", "http://box_1"])
def test_an_origin_is_scheme_host_and_perhaps_a_port(origin: str) -> None:
    assert read_origin(Env({"A": f"{origin}/"}), "A", default="") == origin
    assert read_origins(Env({"A": f"{origin}, http://b"}), "A", default=()) == [origin, "http://b"]


NO_ORIGINS = [
    "null",
    "x",
    "*",
    "https//foo",
    "https:/foo",
    "ftp://x",
    "javascript:alert(1)",
    "http://[::1",
    "http://",
    "http://a:",
    "http://a:0",
    "http://a:99999",
    "http://a:b",
    "http://a b",
    "http://a\nb",
    "http://user@a",
    "http://a/films",
    "http://a?b",
    "http://a#",
    "http://ü.example",
    "https://*.example.com",
    "http://" + "a" * 300,
]


@pytest.mark.parametrize("origin", NO_ORIGINS)
def test_any_other_text_is_no_origin(origin: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^BACKEND_ORIGIN is '.+'; set it to scheme, host and perhaps a"):
        read_origin(Env({"BACKEND_ORIGIN": origin}), "BACKEND_ORIGIN", default="")
    with pytest.raises(ImproperlyConfigured, match=r"^CORS_ALLOWED_ORIGINS has '.+'; set it to scheme, host"):
        read_origins(Env({"CORS_ALLOWED_ORIGINS": f"http://b,{origin}"}), "CORS_ALLOWED_ORIGINS", default=())


def test_a_long_entry_is_not_shown_in_full() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^TRUSTED_PROXIES has an entry .*: 'x+…\.$") as stopped:
        read_trusted_proxies(Env({"TRUSTED_PROXIES": "x" * 9999}))
    assert len(str(stopped.value)) < 300


def test_no_origins_at_all_are_a_list_too() -> None:
    assert read_origins(Env({"A": ","}), "A", default=("http://b",)) == []
