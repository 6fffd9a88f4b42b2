"""Serializers of the sign-in routes."""

from django.core.exceptions import ValidationError
from rest_framework import serializers

from users_app.addresses import MAX_ADDRESS_LENGTH, check_address
from users_app.models import User
from users_app.services.accounts import MAX_PASSWORD_LENGTH

MAX_TOKEN_LENGTH = 4096  # a cookie holds no more; tokens of user pools are half as long


class AddressField(serializers.CharField):
    """An e-mail address, which it validates and normalizes."""

    def __init__(self, **options: object) -> None:
        super().__init__(max_length=MAX_ADDRESS_LENGTH, **options)  # type: ignore[arg-type]  # options of a CharField

    def run_validation(self, data: object = serializers.empty) -> object:
        value = super().run_validation(data)
        if not isinstance(value, str):
            return value
        try:
            return check_address(value)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages, code="invalid") from error


class PasswordField(serializers.CharField):
    def __init__(self, **options: object) -> None:
        super().__init__(max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False, **options)  # type: ignore[arg-type]


class Credentials(serializers.Serializer[None]):
    email = serializers.CharField(max_length=MAX_ADDRESS_LENGTH)
    password = PasswordField()


class Login(Credentials):
    remember = serializers.BooleanField(default=False)


class PasswordForm(serializers.Serializer[None]):
    """The password grant of OAuth 2; `username` is the e-mail address."""

    grant_type = serializers.ChoiceField(
        choices=["password"], required=False, error_messages={"invalid_choice": 'Use "password" or leave it out.'}
    )
    username = serializers.CharField(max_length=MAX_ADDRESS_LENGTH)
    password = PasswordField()


class Refresh(serializers.Serializer[None]):
    refresh_token = serializers.CharField(
        required=False,
        max_length=MAX_TOKEN_LENGTH,
        help_text="Only for clients without cookies; the answer then contains the tokens.",
    )


class Logout(serializers.Serializer[None]):
    refresh_token = serializers.CharField(
        required=False, max_length=MAX_TOKEN_LENGTH, help_text="For clients without cookies."
    )


class Person(serializers.ModelSerializer[User]):
    """The part of the login answer that this app knows; the registry adds the rest."""

    class Meta:
        model = User
        fields = ("id", "username", "email", "name", "phone", "address", "role")
        read_only_fields = fields


class LoginAnswer(Person):
    favorite_videos = serializers.ListField(child=serializers.IntegerField(), read_only=True)

    class Meta(Person.Meta):
        fields = (*Person.Meta.fields, "favorite_videos")  # type: ignore[assignment]


class Me(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "name", "role", "email_verified")
        read_only_fields = fields


class Detail(serializers.Serializer[None]):
    detail = serializers.CharField()


class TokenAnswer(serializers.Serializer[None]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField(default="bearer")


class RefreshAnswer(Detail):
    """Contains the tokens when the refresh token was sent in the body."""

    access_token = serializers.CharField(required=False)
    refresh_token = serializers.CharField(required=False)
    token_type = serializers.CharField(required=False)
