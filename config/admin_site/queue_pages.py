"""The pages of the queue at /django-rq/, for staff: with a sentence instead of a 500 when Redis or a job is missing."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError

View = Callable[..., HttpResponseBase]
SERVICE_UNAVAILABLE = 503
# The errors of django_rq's views for a queue, a job or a worker that does not exist, whether or not its key is valid.
MISSING = (IndexError, NoSuchJobError, ValueError, AssertionError)
# A script inside these pages starts a jQuery plugin that Django no longer has; their content policy would refuse it.
DEAD_SCRIPT = re.compile(rb"<script type=\"text/javascript\">\s*\(function\(\$\) \{[^<]*</script>")


def with_sentences(view: View) -> View:
    @wraps(view)
    def safe(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except MISSING as error:
            raise Http404 from error
        except RedisError:
            context = {**admin.site.each_context(request), "title": "Queues"}
            return TemplateResponse(request, "admin/queue_down.html", context, status=SERVICE_UNAVAILABLE)
        if isinstance(response, HttpResponse) and not isinstance(response, TemplateResponse):
            response.content = DEAD_SCRIPT.sub(b"", response.content)
        return response

    return safe


app_name = "django_rq"
urlpatterns = [
    *(URLPattern(one.pattern, with_sentences(one.callback), name=one.name) for one in get_api_urlpatterns()),
    *get_admin_urlpatterns(view_wrapper=with_sentences),
]
