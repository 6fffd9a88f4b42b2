from django.apps import AppConfig

# Served under /users/ and under /api/v1/auth/.
OWN_ROUTES = {
    ("POST", "login"): "sign_in",
    ("POST", "logout"): "sign_out",
    ("DELETE", "sessions"): "sessions_ended",
    ("DELETE", "sessions/<uuid:session_id>"): "session_ended",
    ("POST", "password/change"): "password_changed",
    ("POST", "email/change"): "address_change_asked",
    ("GET", "export"): "data_exported",
    ("DELETE", "me"): "account_deleted",
}
# The routes that the audit trail records, with the action of each.
AUDITED = {
    **{(method, f"users/{route}"): action for (method, route), action in OWN_ROUTES.items()},
    **{(method, f"api/v1/auth/{route}"): action for (method, route), action in OWN_ROUTES.items()},
    ("POST", "api/v1/auth/token"): "sign_in",
    ("POST", "users/register"): "registered",
    ("POST", "api/v1/auth/register"): "registered",
    ("POST", "api/v1/auth/signup"): "registered",
    ("GET", "users/confirm"): "confirmed",
    ("POST", "api/v1/auth/verify-email"): "confirmed",
    ("POST", "users/reset-password"): "password_reset",
    ("GET", "users/email/confirm"): "address_changed",
    ("PATCH", "users/profile"): "profile_changed",
    ("PATCH", "users/profile/<number:user_id>"): "profile_changed",
    ("PATCH", "api/v1/users/<number:user_id>/role"): "role_changed",
}


class UsersConfig(AppConfig):
    name = "users_app"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from django.core import checks
        from rest_framework_simplejwt.serializers import TokenObtainPairSerializer

        from background.chores import chores
        from users_app import audit
        from users_app.audit import admin_log
        from users_app.checks import check_simple_jwt
        from users_app.chores import CHORES
        from users_app.tokens import RefreshToken

        audit.register(AUDITED)
        chores.register(*CHORES)
        admin_log.connect()
        # With the tag of config.checks too, so that no process starts with such settings, the web server included.
        checks.register(check_simple_jwt, checks.Tags.security, "videoflix")
        # SimpleJWT has no setting for this, and its own tokens would be signed with SECRET_KEY itself, for no session.
        TokenObtainPairSerializer.token_class = RefreshToken
