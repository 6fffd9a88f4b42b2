"""How staff sign in to the admin site."""

from typing import Any

from django import forms
from unfold.forms import AuthenticationForm

from users_app import audit
from users_app.clients import client_of
from users_app.models import User
from users_app.services.accounts import id_behind
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
            user_id = id_behind(attempt.email)
            audit.note("admin_sign_in_failed", target="" if user_id is None else f"user:{user_id}")
            raise
        attempt.note_success()
        audit.by(self.get_user().pk)
        audit.note("admin_sign_in")
        return cleaned
