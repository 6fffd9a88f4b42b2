"""The WSGI entry point: signed media first (no Django in the way of a byte range), the rest to Django."""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    django.setup(set_prefix=False)
except ImproperlyConfigured as error:
    sys.exit(f"Videoflix cannot start: {error}")

# These need the settings that the lines above load.
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from config.checks import startup_problems
from config.http.access_log import AccessLog
from config.http.forwarded import ForwardedHeaders
from config.http.header_guard import HeaderGuard
from config.http.late_bodies import LateBodies
from config.http.media_server import MediaServer

# Commands of manage.py run Django's checks by themselves, a web server does not. gunicorn imports this module before it
# opens its socket (preload_app), so nothing is ever served with unsafe settings.
if problems := startup_problems():
    sys.exit(f"Videoflix cannot start:\n{problems}")

django_application = WSGIHandler()
for_django = HeaderGuard(LateBodies(django_application))
application = ForwardedHeaders(AccessLog(MediaServer(for_django)), settings.TRUSTED_PROXIES)
