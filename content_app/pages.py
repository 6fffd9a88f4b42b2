"""The watch site's pages: shells without personal data, which their scripts fill from the API.

They hold no secret and repeat nothing of the request, so it is safe to compress them (BREACH needs both).
"""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from content_app.input_rules import EXTENSIONS
from content_app.services.playback.content_policy import content_policy
from content_app.services.uploads.direct_uploads import direct_way
from media_pipeline.sources.languages import NAMES
from users_app.accounts_provider import accounts_provider

Page = Callable[[HttpRequest], HttpResponse]


def render_shell(request: HttpRequest, template: str, **context: object) -> HttpResponse:
    response = render(request, template, context)
    response["Content-Security-Policy"] = content_policy()
    response["Cache-Control"] = "no-cache"
    return response


def shell(template: str, context: Callable[[], dict[str, object]] = dict) -> Page:
    """Returns a view that shows the same page to everyone."""

    @require_safe
    @gzip_page
    def show(request: HttpRequest) -> HttpResponse:
        return render_shell(request, template, **context())

    return show


def account_page(template: str, *, instead: str = "") -> Page:
    """Returns a view for a page about accounts; it shows `instead` where an identity provider keeps the accounts."""

    @require_safe
    @gzip_page
    def show(request: HttpRequest) -> HttpResponse:
        is_kept_here = accounts_provider().keeps_accounts_here
        page = instead if instead and not is_kept_here else template
        return render_shell(request, page, are_accounts_kept_here=is_kept_here)

    return show


def upload_context() -> dict[str, object]:
    return {
        # As text: a number would be shown with thousands separators where a locale has them.
        "max_upload_mb": str(settings.MAX_UPLOAD_MB),
        "file_types": ",".join(f".{extension}" for extension in EXTENSIONS),
        "direct": direct_way(),
    }


@require_safe
@gzip_page
def show_watch(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Answers the same for every id, so that the page does not tell strangers which videos exist."""
    # The panel for owners and admins is part of the page: it uploads files too.
    return render_shell(request, "watch.html", public_id=public_id, languages=NAMES.items(), **upload_context())


# Without trailing slashes: config.urls gives each both forms.
routes = [
    ("login", account_page("login.html"), "login"),
    ("register", account_page("register.html"), "register"),
    ("forgot-password", account_page("forgot_password.html", instead="kept_elsewhere.html"), "forgot-password"),
    ("reset-password", account_page("reset_password.html", instead="kept_elsewhere.html"), "reset-password"),
    ("account", account_page("account.html"), "account"),
    ("upload", shell("upload.html", upload_context), "upload"),
    ("watch/<uuid:public_id>", show_watch, "watch"),
]
urlpatterns = [path("", shell("catalogue.html"), name="catalogue")]
