"""How staff sign in to the admin site."""

from typing import Any

from django import forms
from unfold.forms import AuthenticationForm

from users_app import audit
from users_app.clients import client_of
from users_app.models import User
from users_app.services.lockout import Attempt, TooManyAttempts


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold is untyped
    """The admin site's own, with the patience of the API (see services.lockout), and in the audit trail.

    By events of its own: the page that shows the form again is answered by 200.
    """

    def clean(self) -> dict[str, Any]:
        attempt = Attempt(User.normalize_username(self.cleaned_data.get("username", "")), client_of(self.request))
        try:
            attempt.check()
            cleaned: dict[str, Any] = super().clean()
        except TooManyAttempts as error:
            raise forms.ValidationError(str(error.detail)) from error
        except forms.ValidationError:
            attempt.note_failure()
            audit.note("admin_sign_in_failed", target=account_of(attempt.email))
            raise
        attempt.note_success()
        audit.by(self.get_user().pk)
        audit.note("admin_sign_in")
        return cleaned


def account_of(email: str) -> str:
    """As in `user:7`, if there is one: what is typed for an address may be a password."""
    user_id = User.objects.filter(email=email).values_list("pk", flat=True).first()
    return "" if user_id is None else f"user:{user_id}"
