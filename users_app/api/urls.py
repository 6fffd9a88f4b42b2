"""The routes of this app as (route, view, name); config.urls adds each with and without a slash at its end."""

from typing import Any

from users_app.api import audit, own_account, people, registration, signing_in

# Front ends use these under both prefixes.
OWN: list[tuple[str, Any, str]] = [
    ("login", signing_in.SignIn.as_view(), "login"),
    ("refresh", signing_in.RefreshTokens.as_view(), "refresh"),
    ("logout", signing_in.SignOut.as_view(), "logout"),
    ("me", own_account.CurrentPerson.as_view(), "me"),
    ("password/change", own_account.ChangePassword.as_view(), "password-change"),
    ("email/change", own_account.ChangeAddress.as_view(), "email-change"),
    ("sessions", own_account.Sessions.as_view(), "sessions"),
    ("sessions/<uuid:session_id>", own_account.SessionEntry.as_view(), "session"),
    ("export", own_account.AccountExport.as_view(), "export"),
]

routes: list[tuple[str, Any, str]] = [
    *((f"users/{route}", view, f"users-{name}") for route, view, name in OWN),
    *((f"api/v1/auth/{route}", view, f"auth-{name}") for route, view, name in OWN),
    ("users/register", registration.RegisterByForm.as_view(), "users-register"),
    ("users/email-exists", registration.AddressExists.as_view(), "users-email-exists"),
    ("users/confirm", registration.ConfirmAddress.as_view(), "users-confirm"),
    ("users/email/confirm", registration.ConfirmNewAddress.as_view(), "users-email-confirm"),
    ("users/forgot-password", registration.ForgotPassword.as_view(), "users-forgot-password"),
    ("users/reset-password", registration.ResetPassword.as_view(), "users-reset-password"),
    ("users/profile", own_account.OwnProfile.as_view(), "users-profile"),
    ("users/profile/<number:user_id>", own_account.OwnProfile.as_view(), "users-profile-entry"),
    ("users/profiles", people.Profiles.as_view(), "users-profiles"),
    ("api/v1/auth/register", registration.Register.as_view(), "auth-register"),
    ("api/v1/auth/signup", registration.Register.as_view(), "auth-signup"),
    ("api/v1/auth/verify-email", registration.ConfirmByCode.as_view(), "auth-verify-email"),
    ("api/v1/auth/refresh-token", signing_in.RefreshTokens.as_view(), "auth-refresh-token"),
    ("api/v1/auth/token", signing_in.ObtainTokens.as_view(), "auth-token"),
    ("api/v1/audit", audit.Audit.as_view(), "audit"),
    ("api/v1/users", people.People.as_view(), "people"),
    ("api/v1/users/<number:user_id>/role", people.PersonRole.as_view(), "person-role"),
]
