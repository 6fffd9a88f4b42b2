"""The sign-in form of the admin site."""

import math
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from unfold.forms import AuthenticationForm

from users_app import audit
from users_app.addresses import MAX_ADDRESS_LENGTH
from users_app.clients import client_of
from users_app.http.throttles import AuthLimit
from users_app.limits.lockout import Attempt, TooManyAttempts
from users_app.models import User
from users_app.services.accounts import MAX_PASSWORD_LENGTH, find_user_id


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold is untyped
    """The admin site's own form, with the limits of the API (see limits.lockout) and entries in the audit trail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django limits neither, looks the first up in the database and hashes the second, whatever its length.
        self.fields["username"].validators.append(MaxLengthValidator(MAX_ADDRESS_LENGTH))
        self.fields["password"].validators.append(MaxLengthValidator(MAX_PASSWORD_LENGTH))

    def clean(self) -> dict[str, Any]:
        """Check the password; raises ValidationError."""
        # Without either field the form holds no guess: nothing is hashed or counted, and no earlier guess forgotten.
        if self.errors:
            cleaned: dict[str, Any] = self.cleaned_data
            return cleaned
        if wait_s := AuthLimit().seconds_to_wait(self.request):
            raise forms.ValidationError(f"Too many requests. Try again in {math.ceil(wait_s)} seconds.")
        attempt = Attempt(User.normalize_username(self.cleaned_data["username"]), client_of(self.request))
        try:
            attempt.check()
            cleaned = super().clean()
        except TooManyAttempts as error:
            raise forms.ValidationError(error.sentence) from error
        except forms.ValidationError:
            attempt.note_failure()
            user_id = find_user_id(attempt.email)
            # An event of its own, because the page that shows the form again is answered with 200.
            audit.note("admin_sign_in_failed", target="" if user_id is None else f"user:{user_id}")
            raise
        attempt.note_success()
        audit.by(self.get_user().pk)
        audit.note("admin_sign_in")
        return cleaned
