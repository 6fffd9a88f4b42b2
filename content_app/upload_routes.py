"""The routes that take files. Each of them may receive a large body of exactly one media type.

Nginx (nginx/nginx.conf.in) and the web server (config/http/web_worker.py) stream these bodies to Django, and buffer all
other bodies until they are complete.
"""

import re

ADMIN_SITE = "/admin/"
# `++` and `*+` never backtrack, so that matching takes linear time for every path that a client can send.
FILMS_OF_STAFF = re.compile(rf"{ADMIN_SITE}content_app/video(?:/.*+)?", re.DOTALL)
FORMS = re.compile(r"/api/v1/videos(?:/[^/]++(?:/poster|/captions/[^/]++)?)?/?")
CHUNKS = re.compile(r"/api/v1/upload/tus(?:/[^/]++)?/?")
