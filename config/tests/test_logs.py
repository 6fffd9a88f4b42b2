import json
import logging
import logging.config
import subprocess
import sys
from io import StringIO

import pytest
import structlog

from config import logs
from config.env_file import BASE_DIR

HIDDEN = [
    "https://s3/films/x.mp4?X-Amz-Credential=AKID%2F1&X-Amz-Signature=SECRET0&x=1",
    "https://s3/x?X-Amz-Security-Token=SECRET0",
    "GET /users/confirm/?uid=1&token=SECRET0 failed",
    "GET /users/reset?password=SECRET0;x",
    "Authorization: Bearer SECRET0.SECRET0",
    "AWS4-HMAC-SHA256 Credential=A, SignedHeaders=host, Signature=SECRET0",
    "/media/tp2ko0.SECRET0/videos/x/v1/720p.mp4",
    "/media/file/tp2ko0.SECRET0/videos/x/v1/poster.jpg",
    "/media-grant/file/tp2ko0.SECRET0/videos/x/v1/poster.jpg",
    "/api/v1/stream/play/SECRET0",
    "postgres://videoflix:SECRET0@db:5432/videoflix",
    "redis://:SECRET0@redis:6379/0",
    "GET /x?access_token=SECRET0/SECRET0 failed",
    "cookies: vf_access=SECRET0; x",
    "Cookie: sessionid=SECRET0",
    "{'token': 'SECRET0'}",
    '{"password": "SECRET0"}',
    "AWS_SECRET_ACCESS_KEY=SECRET0/SECRET0@x",
    "X-Gateway-Secret: SECRET0",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_secrets_are_hidden_and_the_text_around_them_stays(text: str) -> None:
    shown = logs.redact(text)
    assert "SECRET0" not in shown
    assert logs.HIDDEN in shown
    assert shown[:5] == text[:5]


@pytest.mark.parametrize(
    "text", ["video 12: ready", "/media/posters/x/y/poster.jpg", "http://localhost:8000/x", "a token was refused"]
)
def test_text_without_secrets_stays(text: str) -> None:
    assert logs.redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "redis://:SECRET0@redis/0,redis://:SECRET0@other/0",
        "postgres://a:SEC@RET0@db and postgres://b:SECRET0@db",
        "http://x/y://a:SECRET0@db",
        "--token--x = SECRET0",
        "token=a token:SECRET0",
    ],
)
def test_no_secret_hides_behind_another(text: str) -> None:
    assert "RET0" not in logs.redact(text)


Log = tuple[logging.Logger, StringIO]


@pytest.fixture
def log(form: str) -> Log:
    """A logger with this format, and the stream that it writes to."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    configured = logs.logging_config(form)["formatters"][form]
    factory = configured.pop("()")
    handler.setFormatter(factory(configured["format"]) if form == "plain" else factory(**configured))
    logger = logging.Logger(f"tests.{form}")
    logger.addHandler(handler)
    return logger, stream


@pytest.mark.parametrize("form", logs.FORMATS)
@pytest.mark.parametrize("unit", ["x", "token-", "\x00", '"\n', "token=SECRET0 ", "://a:SECRET0@b", "ü", "😀"])
def test_no_line_is_longer_than_the_bound(form: str, unit: str, log: Log) -> None:
    logger, stream = log
    huge = "begins " + unit * 50_000 + " ends"
    try:
        raise ValueError(huge)
    except ValueError:
        logger.exception("a message of %s", huge, extra={"path": huge, "several": [huge, {"token": huge}]})
    output = stream.getvalue().removesuffix("\n")
    assert len(output) <= logs.LINE_CHARACTERS
    assert "a message of begins" in output
    assert "SECRET0" not in output
    if form == "json":
        assert {"event", "exception", "path", "level", "logger", "time"} <= set(json.loads(output))


@pytest.mark.parametrize("form", logs.FORMATS)
def test_the_end_of_a_long_traceback_is_kept(form: str, log: Log) -> None:
    logger, stream = log
    try:
        raise ValueError("x" * 50_000 + " is how it ends")
    except ValueError:
        logger.exception("it failed")
    assert "Traceback" in stream.getvalue()
    assert "is how it ends" in stream.getvalue()


@pytest.mark.parametrize("form", logs.FORMATS)
def test_lines_have_level_event_request_id_and_traceback(form: str, log: Log) -> None:
    logger, stream = log
    with structlog.contextvars.bound_contextvars(request_id="an-id-12345"):
        logger.warning("video %d: token=SECRET0", 12, extra={"password": "SECRET0", "status": 200})
    try:
        raise ValueError("https://x/?token=SECRET0")
    except ValueError:
        logger.exception("it failed")
    output = stream.getvalue()
    assert "SECRET0" not in output
    if form == "json":
        first, second = (json.loads(line) for line in output.splitlines())
        assert first["event"].startswith("video 12: ")
        assert (first["level"], first["request_id"], first["status"]) == ("warning", "an-id-12345", 200)
        assert "ValueError" in second["exception"]


REFUSE_A_HOST = """
import logging.config, sys
from config import logs
logging.config.dictConfig(logs.logging_config(sys.argv[1]))
try:
    raise ValueError("refused")
except ValueError:  # as Django reports it
    logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header: 'elsewhere'", exc_info=True)
"""


@pytest.mark.parametrize("form", logs.FORMATS)
def test_a_refused_host_is_one_line(form: str) -> None:
    """Any client can send such a request as often as it likes, so it must not fill the log with tracebacks."""
    run = subprocess.run(
        [sys.executable, "-c", REFUSE_A_HOST, form], cwd=BASE_DIR, capture_output=True, text=True, check=True
    )
    assert (run.stderr.count("\n"), "elsewhere" in run.stderr) == (1, True)
