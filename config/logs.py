"""The format of log lines: plain text, or JSON with the id of the request that led to them; neither has secrets."""

import json
import logging
import re
from typing import Any

import structlog

FORMATS = ("plain", "json")
HIDDEN = "[hidden]"
# The maximum of a line in either format, with its traceback: a line may quote anything that a client sends.
LINE_CHARACTERS = 10_000
# A longer text is cut before it is searched for secrets. It is cut at its end, so that the name before a secret that is
# cut in two remains, by which the rest of the secret is found.
READ_CHARACTERS = 10 * LINE_CHARACTERS
# Secrets as they appear in addresses, headers and errors of libraries. The quantifiers are possessive and atomic, so
# that the time grows with the length of the text and no faster, whatever a client sends.
SECRETS = re.compile(
    r"""
    (?P<before>
        # A name, and the signs between it and its value in addresses, headers, JSON and Python.
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
# The name and the password before the host of an address. The expression does not look for the @ itself: from each of
# many addresses in one word it would search to the end of the word.
CREDENTIALS = re.compile(r"""(?<=://)(?P<name>[^/\s:@]*+:)(?P<rest>[^\s"']++)""")
SECRET_NAMES = re.compile(r"password|secret|token|authorization|cookie|signature", re.IGNORECASE)
# Libraries that would log every request, query and byte.
QUIET = {"rq": "WARNING", "django.request": "ERROR", "botocore": "WARNING", "boto3": "WARNING", "s3transfer": "WARNING"}


def redact(text: str) -> str:
    """The text without secrets, shortened to LINE_CHARACTERS."""
    shown = SECRETS.sub(lambda match: f"{match[match.lastgroup or 0]}{HIDDEN}", text[:READ_CHARACTERS])
    # Where the text was cut, the @ that marks a password may be gone: then everything up to the next space is hidden.
    hide = without_password if len(text) <= READ_CHARACTERS else without_rest
    return shorten(CREDENTIALS.sub(hide, shown), LINE_CHARACTERS)


def without_password(match: re.Match[str]) -> str:
    _, at, host = match["rest"].rpartition("@")
    return f"{match['name']}{HIDDEN}@{host}" if at else match[0]


def without_rest(match: re.Match[str]) -> str:
    return f"{match['name']}{HIDDEN}"


def shorten(text: str, limit: int) -> str:
    """The beginning and the end of a longer text: the end of a traceback names the error."""
    if len(text) <= limit:
        return text
    gap = f" […{len(text)} characters…] "
    kept = max(limit - len(gap), 0)
    return f"{text[: kept - kept // 2]}{gap}{text[len(text) - kept // 2 :]}"


def redact_event(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Hides the secrets in the fields of a JSON line, by the name of a field and by the form of its value."""
    shown: structlog.typing.EventDict = {}
    for name, value in event.items():
        if SECRET_NAMES.search(name):
            shown[name] = HIDDEN
        elif value is None or isinstance(value, int | float):
            shown[name] = value
        else:
            shown[name] = redact(str(value))
    return shown


def render_json(_: Any, __: str, event: structlog.typing.EventDict) -> str:
    """One line of at most LINE_CHARACTERS: its longest field is halved until it fits."""
    while len(line := json.dumps(event, ensure_ascii=False)) > LINE_CHARACTERS:
        longest = max(event, key=lambda name: len(str(event[name])))
        event[longest] = shorten(str(event[longest]), len(str(event[longest])) // 2)
    return line


class WithoutTraceback(logging.Filter):
    """Removes the traceback from errors that any client can cause: the line is enough, and they would fill the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


class PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def logging_config(form: str, level: str = "INFO") -> dict[str, Any]:
    """The argument of logging.config.dictConfig; `form` is one of FORMATS.

    Each request and each started program has a line in JSON only: plain logs are for people.
    """
    pre_chain = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    processors = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        redact_event,
        render_json,
    ]
    routine_level = "INFO" if form == "json" else "WARNING"
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
                "processors": processors,
                "foreign_pre_chain": pre_chain,
            },
        },
        "filters": {"without_traceback": {"()": WithoutTraceback}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **{name: {"level": quiet_level} for name, quiet_level in QUIET.items()},
            "django.security.DisallowedHost": {"filters": ["without_traceback"]},
            "config.http.access_log": {"level": routine_level},
            "media_pipeline.ffmpeg": {"level": routine_level},
        },
    }
