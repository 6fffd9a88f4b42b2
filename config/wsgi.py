"""The WSGI entry point: signed media first (no Django in the way of a byte range), the rest to Django."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    django_application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.exit(f"Videoflix cannot start: {error}")

# These need the settings that the lines above load.
from django.conf import settings

from config.http.access_log import AccessLog
from config.http.forwarded import ForwardedHeaders
from config.http.header_guard import HeaderGuard
from config.http.late_bodies import LateBodies
from config.http.media_server import MediaServer

for_django = HeaderGuard(LateBodies(django_application))
application = ForwardedHeaders(AccessLog(MediaServer(for_django)), settings.TRUSTED_PROXIES)
