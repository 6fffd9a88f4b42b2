"""How log lines look: readable ones, or JSON with the id of the request that led to them. Secrets are in neither."""

import logging
import re
from typing import Any

import structlog

FORMATS = ("plain", "json")
HIDDEN = "[hidden]"
# What must never be read in a log, wherever a message has it from: an address, a header, an error of a library.
SECRETS = re.compile(
    r"""
    (?P<before>
        # A name, and what stands between it and its value in addresses, headers, JSON and Python.
        ["']?\b[\w-]*(?:token|password|secret|signature|credential|cookie|sessionid|vf_access|vf_refresh)[\w-]*["']?
            \s*[:=]\s*(?:[bu]?["'])?
      | \b(?:sig|code|uid)=
      | \b(?:Bearer|Basic)\s+
    )
    [^\s&;,"']+
  |
    (?P<folder>
        /media(?:-grant)?/(?:file/)?(?=[0-9a-z]{1,13}\.)
      | /stream/play/
    )
    [^\s/?"']+
  |
    (?P<person>(?<=://)[^/\s:@]*:)
    [^\s"']+(?=@[^\s@/]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
SECRET_NAMES = re.compile(r"password|secret|token|authorization|cookie|signature", re.IGNORECASE)
# What every request, query and byte would say is for whoever looks for it.
QUIET = {"rq": "WARNING", "django.request": "ERROR", "botocore": "WARNING", "boto3": "WARNING", "s3transfer": "WARNING"}


def redact(text: str) -> str:
    return SECRETS.sub(lambda match: f"{match[match.lastgroup or 0]}{HIDDEN}", text)


def redact_event(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Of a line of JSON: by what a value is called, and by what it looks like."""
    return {
        name: HIDDEN if SECRET_NAMES.search(name) else redact(value) if isinstance(value, str) else value
        for name, value in event.items()
    }


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
        structlog.processors.JSONRenderer(ensure_ascii=False),
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
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **{name: {"level": least} for name, least in QUIET.items()},
            "config.access_log": {"level": told},
            "media_pipeline.ffmpeg": {"level": told},
        },
    }
