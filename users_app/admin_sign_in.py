"""How staff sign in to the admin site."""

from typing import Any

from django import forms
from unfold.forms import AuthenticationForm

from users_app.clients import client_of
from users_app.models import User
from users_app.services.lockout import Attempt, TooManyAttempts


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold is untyped
    """The admin site's own, with the patience of the API: see services.lockout."""

    def clean(self) -> dict[str, Any]:
        attempt = Attempt(User.normalize_username(self.cleaned_data.get("username", "")), client_of(self.request))
        try:
            attempt.check()
            cleaned: dict[str, Any] = super().clean()
        except TooManyAttempts as error:
            raise forms.ValidationError(str(error.detail)) from error
        except forms.ValidationError:
            attempt.note_failure()
            raise
        attempt.note_success()
        return cleaned
