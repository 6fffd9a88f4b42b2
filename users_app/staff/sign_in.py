"""How staff sign in to the admin site."""

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
    """The admin site's own, with the patience of the API (see limits.lockout), and in the audit trail.

    By events of its own: the page that shows the form again is answered by 200.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django bounds neither: the one is looked up in the database, the other hashed, whatever its length.
        self.fields["username"].validators.append(MaxLengthValidator(MAX_ADDRESS_LENGTH))
        self.fields["password"].validators.append(MaxLengthValidator(MAX_PASSWORD_LENGTH))

    def clean(self) -> dict[str, Any]:
        """A form that lacks either field has no guess in it: nothing is hashed, counted or forgiven."""
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
            audit.note("admin_sign_in_failed", target="" if user_id is None else f"user:{user_id}")
            raise
        attempt.note_success()
        audit.by(self.get_user().pk)
        audit.note("admin_sign_in")
        return cleaned
