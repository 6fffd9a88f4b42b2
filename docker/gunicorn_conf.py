"""How the web server of a container runs (read by gunicorn): as on one machine, behind Nginx."""

import os

from django.urls import get_resolver

from local import gunicorn_conf

# All settings of that one but those below.
globals().update({name: value for name, value in vars(gunicorn_conf).items() if not name.startswith("__")})

logconfig_dict = {
    **gunicorn_conf.logconfig_dict,
    "loggers": {"gunicorn.error": {"level": "INFO", **gunicorn_conf.OWN_LOG}},
}
bind = f"0.0.0.0:{os.environ.get('WEB_PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
# `docker stop` gives ten seconds, compose what stop_grace_period says.
graceful_timeout = 25
# Nginx keeps its connections; one that is closed under it would be a failed request.
keepalive = 75


def on_starting(_: object) -> None:
    """The entry point has prepared everything."""
    get_resolver().url_patterns  # noqa: B018 - loads the views before the workers are forked
