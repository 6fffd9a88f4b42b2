"""How log lines look: readable ones, or JSON with the id of the request that led to them. Secrets are in neither."""

import json
import logging
import re
from typing import Any

import structlog

FORMATS = ("plain", "json")
HIDDEN = "[hidden]"
# One bound for a logged line, in either form, a traceback included: a line may quote anything that a client sends.
LINE_CHARACTERS = 10_000
# What is longer is cut here before it is looked at, at its end: a secret that is cut still stands behind its name.
READ_CHARACTERS = 10 * LINE_CHARACTERS
# What must never be read in a log, wherever a message has it from: an address, a header, an error of a library.
# Possessive and atomic: no part of a text is looked at once more for each place that a match may begin at.
SECRETS = re.compile(
    r"""
    (?P<before>
        # A name, and what stands between it and its value in addresses, headers, JSON and Python.
        (?<![\w-])(?>[\w-]*(?:token|password|secret|signature|credential|cookie|sessionid|vf_access|vf_refresh))
            [\w-]*+["']?+\s*+[:=]\s*+(?:[bu]?["'])?
      | \b(?:sig|code|uid)=
      | \b(?:Bearer|Basic)\s++
    )
    [^\s&;,"']++
  |
    (?P<folder>
        /media(?:-grant)?/(?:file/)?(?=[0-9a-z]{1,13}\.)
      | /stream/play/
    )
    [^\s/?"']++
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A name and a password before the host of an address. Whether there is a host is not asked by the expression, which
# would look for its @ from each of many addresses in one word.
PERSON = re.compile(r"""(?<=://)(?P<name>[^/\s:@]*+:)(?P<rest>[^\s"']++)""")
SECRET_NAMES = re.compile(r"password|secret|token|authorization|cookie|signature", re.IGNORECASE)
# What every request, query and byte would say is for whoever looks for it.
QUIET = {"rq": "WARNING", "django.request": "ERROR", "botocore": "WARNING", "boto3": "WARNING", "s3transfer": "WARNING"}


def redact(text: str) -> str:
    """The text without secrets, at most LINE_CHARACTERS of it; in time that grows with its length and no faster."""
    shown = SECRETS.sub(lambda match: f"{match[match.lastgroup or 0]}{HIDDEN}", text[:READ_CHARACTERS])
    # Of what was cut, the @ that tells a password may be gone.
    hide = without_password if len(text) <= READ_CHARACTERS else without_rest
    return shorten(PERSON.sub(hide, shown), LINE_CHARACTERS)


def without_password(match: re.Match[str]) -> str:
    _, at, host = match["rest"].rpartition("@")
    return f"{match['name']}{HIDDEN}@{host}" if at else match[0]


def without_rest(match: re.Match[str]) -> str:
    return f"{match['name']}{HIDDEN}"


def shorten(text: str, most: int) -> str:
    """The beginning and the end, which says most of a traceback."""
    if len(text) <= most:
        return text
    gap = f" […{len(text)} characters…] "
    kept = max(most - len(gap), 0)
    return f"{text[: kept - kept // 2]}{gap}{text[len(text) - kept // 2 :]}"


def redact_event(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Of a line of JSON: by what a value is called, and by what it looks like."""
    return {
        name: HIDDEN
        if SECRET_NAMES.search(name)
        else value
        if value is None or isinstance(value, int | float)
        else redact(str(value))
        for name, value in event.items()
    }


def render_json(_: Any, __: str, event: structlog.typing.EventDict) -> str:
    """One line, at most LINE_CHARACTERS: while it is longer, its longest text is halved."""
    while len(line := json.dumps(event, ensure_ascii=False)) > LINE_CHARACTERS:
        longest = max(event, key=lambda name: len(str(event[name])))
        event[longest] = shorten(str(event[longest]), len(str(event[longest])) // 2)
    return line


class WithoutTraceback(logging.Filter):
    """For what any stranger can cause: the line says all, and its traceback would fill the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


class PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def logging_config(form: str, level: str = "INFO") -> dict[str, Any]:
    """For logging.config.dictConfig; `form` is one of FORMATS. Requests and programs are told in JSON only."""
    before = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    in_json = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        redact_event,
        render_json,
    ]
    told = "INFO" if form == "json" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {
                "()": PlainFormatter,
                "format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
                "datefmt": "%H:%M:%S",
            },
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": in_json,
                "foreign_pre_chain": before,
            },
        },
        "filters": {"without_traceback": {"()": WithoutTraceback}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **{name: {"level": least} for name, least in QUIET.items()},
            "django.security.DisallowedHost": {"filters": ["without_traceback"]},
            "config.http.access_log": {"level": told},
            "media_pipeline.ffmpeg": {"level": told},
        },
    }
