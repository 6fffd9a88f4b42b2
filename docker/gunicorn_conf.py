"""The settings of gunicorn in a container: those of `make up`, but for a server behind Nginx."""

import os

from django.urls import get_resolver

from local import gunicorn_conf

# All settings of local/gunicorn_conf.py; those below replace some.
globals().update({name: value for name, value in vars(gunicorn_conf).items() if not name.startswith("__")})

logconfig_dict = {
    **gunicorn_conf.logconfig_dict,
    "loggers": {"gunicorn.error": {"level": "INFO", **gunicorn_conf.OWN_LOG}},
}
bind = f"0.0.0.0:{os.environ.get('WEB_PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
# `docker stop` gives ten seconds, compose what stop_grace_period says.
graceful_timeout = 25
# Longer than Nginx keeps its connections: a request on a connection that was just closed would fail.
keepalive = 75


def on_starting(_: object) -> None:
    # Nothing to wait for: entrypoint.sh has prepared the database.
    get_resolver().url_patterns  # noqa: B018 - loads the views before the workers are forked
