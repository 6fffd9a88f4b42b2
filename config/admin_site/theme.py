"""The look of the admin site: its name, the colours of the watch site, the links of the sidebar."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def is_staff(request: HttpRequest) -> bool:
    from django.contrib import admin  # the settings import this module, and Django is not set up then

    return admin.site.has_permission(request)


def never(request: HttpRequest) -> bool:
    return False


def item(title: str, icon: str, link: Any, *, permission: Any = None) -> dict[str, Any]:
    """`permission`: a function of the request; without one all staff see the item."""
    return {"title": title, "icon": icon, "link": link, "permission": permission}


def model_item(title: str, icon: str, model: str) -> dict[str, Any]:
    """The list of a model ("app.model"), for staff who may view it."""
    app, name = model.split(".")
    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return item(title, icon, link, permission=lambda request: request.user.has_perm(f"{app}.view_{name}"))


# The colours of the watch site's style sheet: a warm light ground, a night-blue dark one, and amber.
GREY = {
    "50": "#faf7f2",
    "100": "#f0eae0",
    "200": "#ddd4c6",
    "300": "#c9c6d0",
    "400": "#a9acc0",
    "500": "#6d7189",
    "600": "#4a5070",
    "700": "#323854",
    "800": "#252a42",
    "900": "#10121d",
    "950": "#0a0c14",
}
AMBER = {
    "50": "#fff8ed",
    "100": "#ffefd4",
    "200": "#ffdba8",
    "300": "#ffc87f",
    "400": "#ffbe69",
    "500": "#ffb454",
    "600": "#9a5200",  # white text on it, and itself as text on white, are easy to read
    "700": "#8f4c00",
    "800": "#733d00",
    "900": "#5c3205",
    "950": "#331a00",
}
TEXT = {
    "subtle-light": "#625e70",
    "subtle-dark": "#a9acc0",
    "default-light": "#403c4e",
    "default-dark": "#cfccd6",
    "important-light": "#1c1a27",
    "important-dark": "#f3f0e9",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Videoflix",
    "LOGIN": {"form": "users_app.staff.sign_in.SignInForm"},
    "SITE_HEADER": "Videoflix",
    "SITE_SUBHEADER": "Administration",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("favicon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}],
    "COLORS": {"base": GREY, "primary": AMBER, "font": TEXT},
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("admin/site.css")],
    "DASHBOARD_CALLBACK": "content_app.admin.dashboard.add_overview",
    "SIDEBAR": {
        "navigation": [
            {"items": [item("Overview", "dashboard", reverse_lazy("admin:index"))]},
            {
                "title": "Catalogue",
                "separator": True,
                "items": [
                    model_item("Films", "movie", "content_app.video"),
                    model_item("Categories", "category", "content_app.category"),
                    model_item("Favourites", "favorite", "content_app.favorite"),
                ],
            },
            {
                "title": "People and machines",
                "separator": True,
                "items": [
                    model_item("People", "group", "users_app.user"),
                    model_item("Audit trail", "history", "users_app.auditentry"),
                    item("Queue", "conveyor_belt", reverse_lazy("django_rq:home"), permission=is_staff),
                ],
            },
            # Every address begins with "/", so it would always look like the current page.
            {"separator": True, "items": [{**item("Watch site", "smart_display", "/"), "active": never}]},
        ]
    },
}
