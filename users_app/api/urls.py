"""The routes of this app as (route, view, name); config.urls gives each its form with and without the slash."""

from typing import Any

from users_app.api import views

routes: list[tuple[str, Any, str]] = [
    ("users/login", views.Login.as_view(), "users-login"),
    ("users/refresh", views.Refresh.as_view(), "users-refresh"),
    ("users/logout", views.Logout.as_view(), "users-logout"),
    ("api/v1/auth/login", views.Login.as_view(), "auth-login"),
    ("api/v1/auth/refresh", views.Refresh.as_view(), "auth-refresh"),
    ("api/v1/auth/refresh-token", views.Refresh.as_view(), "auth-refresh-token"),
    ("api/v1/auth/logout", views.Logout.as_view(), "auth-logout"),
    ("api/v1/auth/me", views.CurrentPerson.as_view(), "auth-me"),
    ("api/v1/auth/token", views.ObtainTokens.as_view(), "auth-token"),
]
