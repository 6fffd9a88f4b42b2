"""Every route of the platform."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config.health import HealthView
from config.openapi import views
from config.routes import both
from content_app import pages
from content_app.api import urls as content_urls
from users_app.api import urls as users_urls
from users_app.staff import session as staff_session

routes = [
    *users_urls.routes,
    *content_urls.routes,
    *pages.routes,
    ("health", HealthView.as_view(), "health"),
    ("api/schema", views.SchemaView.as_view(), "schema"),
    ("api/docs", views.show_swagger, "docs"),
    ("api/redoc", views.show_redoc, "redoc"),
]

urlpatterns = [
    *(pattern for route, view, name in routes for pattern in both(route, view, name)),
    *content_urls.urlpatterns,
    *pages.urlpatterns,
    path("django-rq/", include("config.admin_site.queue_pages")),
    # Unfold's search for the names of models; see templates/unfold/helpers/command.html.
    path("admin/search/", RedirectView.as_view(pattern_name="admin:index")),
    # Django's "view on site", which no model here has. It would query every model, django-rq's without a table as well.
    path("admin/r/<path:rest>", RedirectView.as_view(url="/admin/")),
    # With the session that the watch site and the admin site share.
    path("admin/login/", staff_session.sign_in_page),
    path("admin/logout/", staff_session.sign_out_page),
    path("admin/password_change/", staff_session.change_password_page),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
]

handler400 = "config.http.errors.bad_request"
handler403 = "config.http.errors.permission_denied"
handler404 = "config.http.errors.not_found"
handler500 = "config.http.errors.server_error"
