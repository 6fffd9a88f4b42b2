"""Serializers of the routes that make, recover, change and delete accounts."""

from typing import Any

from rest_framework import serializers

from users_app.api.serializers import AddressField, PasswordField, Person
from users_app.clients import describe_device
from users_app.models import MAX_NAME_LENGTH, MAX_PHONE_LENGTH, MAX_POSTAL_ADDRESS_LENGTH, Session, User
from users_app.roles import Role

MAX_LINK_TOKEN_LENGTH = 2048


class Registration(serializers.Serializer[None]):
    email = AddressField()
    password = PasswordField()
    name = serializers.CharField(max_length=MAX_NAME_LENGTH, required=False, allow_blank=True, default="")
    phone = serializers.CharField(max_length=MAX_PHONE_LENGTH, required=False, allow_blank=True, default="")
    address = serializers.CharField(max_length=MAX_POSTAL_ADDRESS_LENGTH, required=False, allow_blank=True, default="")


class RegistrationForm(Registration):
    confirm_password = PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["password"] != attrs.pop("confirm_password"):
            raise serializers.ValidationError({"confirm_password": ["The passwords do not match."]})
        return attrs


class Registered(serializers.Serializer[None]):
    email = serializers.CharField()


class AddressQuestion(serializers.Serializer[None]):
    email = AddressField()


class AddressAnswer(serializers.Serializer[None]):
    exists = serializers.BooleanField()


class CodeForm(serializers.Serializer[None]):
    email = AddressField()
    otp = serializers.CharField(max_length=20, help_text="The six digits in the e-mail.")


class LinkForm(serializers.Serializer[None]):
    uid = serializers.CharField(max_length=40)
    token = serializers.CharField(max_length=MAX_LINK_TOKEN_LENGTH)


class ResetForm(LinkForm):
    new_password = PasswordField()


class PasswordChange(serializers.Serializer[None]):
    current_password = PasswordField()
    new_password = PasswordField()


class AddressChange(serializers.Serializer[None]):
    new_email = AddressField()
    password = PasswordField()


class PasswordProof(serializers.Serializer[None]):
    password = PasswordField()


class Profile(serializers.ModelSerializer[User]):
    """Users can change their name, phone and postal address."""

    class Meta:
        model = User
        fields = (*Person.Meta.fields, "email_verified")
        read_only_fields = ("id", "username", "email", "role", "email_verified")


class ProfileAnswer(Profile):
    favorite_videos = serializers.ListField(child=serializers.IntegerField(), read_only=True)

    class Meta(Profile.Meta):
        fields = (*Profile.Meta.fields, "favorite_videos")  # type: ignore[assignment]


class SessionAnswer(serializers.ModelSerializer[Session]):
    device = serializers.SerializerMethodField()
    address = serializers.IPAddressField(allow_null=True)
    last_used_at = serializers.DateTimeField()
    is_current = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = ("id", "device", "address", "created_at", "last_used_at", "is_current", "is_remembered")
        read_only_fields = fields

    def get_device(self, session: Session) -> str:
        return describe_device(session.user_agent)

    def get_is_current(self, session: Session) -> bool:
        return bool(session == self.context["current"])


class SessionPage(serializers.Serializer[None]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = SessionAnswer(many=True)


class Ended(serializers.Serializer[None]):
    ended = serializers.IntegerField(help_text="The number of ended sessions.")


class EndSessions(serializers.Serializer[None]):
    keep_current = serializers.BooleanField(default=False, help_text="1: the session of this request continues.")


class ListedPerson(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "name", "role", "is_active", "email_verified", "date_joined", "last_login")
        read_only_fields = fields


class PersonPage(serializers.Serializer[None]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ListedPerson(many=True)


class RoleChange(serializers.Serializer[None]):
    role_name = serializers.ChoiceField(
        choices=Role.choices,
        # DRF's own sentence repeats the input, which may be text that cannot be encoded.
        error_messages={"invalid_choice": "Use ADMIN, CREATOR or VIEWER."},
    )
