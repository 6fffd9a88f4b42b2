"""The watch site's pages: shells without personal data, which their scripts fill from the API.

So they may be compressed: nothing in them is secret, and nothing comes from whoever asks.
"""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from content_app.rules import EXTENSIONS
from content_app.services.content_policy import content_policy
from content_app.services.uploads import direct_way
from media_pipeline.languages import NAMES


def render_shell(request: HttpRequest, template: str, **context: object) -> HttpResponse:
    response = render(request, template, context)
    response["Content-Security-Policy"] = content_policy()
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
@gzip_page
def show_catalogue(request: HttpRequest) -> HttpResponse:
    return render_shell(request, "catalogue.html")


@require_safe
@gzip_page
def show_login(request: HttpRequest) -> HttpResponse:
    return render_shell(request, "login.html")


@require_safe
@gzip_page
def show_register(request: HttpRequest) -> HttpResponse:
    return render_shell(request, "register.html")


@require_safe
@gzip_page
def show_forgot_password(request: HttpRequest) -> HttpResponse:
    return render_shell(request, "forgot_password.html")


@require_safe
@gzip_page
def show_reset_password(request: HttpRequest) -> HttpResponse:
    return render_shell(request, "reset_password.html")


@require_safe
@gzip_page
def show_account(request: HttpRequest) -> HttpResponse:
    return render_shell(request, "account.html")


@require_safe
@gzip_page
def show_upload(request: HttpRequest) -> HttpResponse:
    file_types = ",".join(f".{extension}" for extension in EXTENSIONS)
    # As text: a number would be shown with thousands separators where a locale has them.
    most = str(settings.MAX_UPLOAD_MB)
    return render_shell(request, "upload.html", max_upload_mb=most, file_types=file_types, direct=direct_way())


@require_safe
@gzip_page
def show_watch(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Answers alike for every id, so that the page never tells a stranger which videos exist."""
    return render_shell(request, "watch.html", public_id=public_id, languages=NAMES.items())


# Without trailing slashes: config.urls gives each both forms.
routes = [
    ("login", show_login, "login"),
    ("register", show_register, "register"),
    ("forgot-password", show_forgot_password, "forgot-password"),
    ("reset-password", show_reset_password, "reset-password"),
    ("account", show_account, "account"),
    ("upload", show_upload, "upload"),
    ("watch/<uuid:public_id>", show_watch, "watch"),
]
urlpatterns = [path("", show_catalogue, name="catalogue")]
