"""The routes that take files, each with the one type of body that may be large there.

Nginx (nginx/nginx.conf.in) and the web server (config/http/web_worker.py) let these bodies stream through, and keep all
others until they are whole.
"""

import re

ADMIN_SITE = "/admin/"
FILMS_OF_STAFF = re.compile(rf"{ADMIN_SITE}content_app/video(?:/.*+)?", re.DOTALL)
FORMS = re.compile(r"/api/v1/videos(?:/[^/]++(?:/poster|/captions/[^/]++)?)?/?")
CHUNKS = re.compile(r"/api/v1/upload/tus(?:/[^/]++)?/?")
