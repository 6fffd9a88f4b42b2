"""Shapes of the routes that make, recover, change and end accounts."""

from typing import Any

from rest_framework import serializers

from users_app.api.serializers import Address, Password, Person
from users_app.clients import describe_device
from users_app.models import Session, User
from users_app.roles import Role

LONGEST_TOKEN = 2048


class Registration(serializers.Serializer[None]):
    email = Address()
    password = Password()
    name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    address = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class RegistrationForm(Registration):
    confirm_password = Password()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["password"] != attrs.pop("confirm_password"):
            raise serializers.ValidationError({"confirm_password": ["This is not the same password."]})
        return attrs


class Registered(serializers.Serializer[None]):
    email = serializers.CharField()


class AddressQuestion(serializers.Serializer[None]):
    email = Address()


class AddressAnswer(serializers.Serializer[None]):
    exists = serializers.BooleanField()


class CodeForm(serializers.Serializer[None]):
    email = Address()
    otp = serializers.CharField(max_length=20, help_text="The six digits of the mail.")


class LinkForm(serializers.Serializer[None]):
    uid = serializers.CharField(max_length=40)
    token = serializers.CharField(max_length=LONGEST_TOKEN)


class ResetForm(LinkForm):
    new_password = Password()


class PasswordChange(serializers.Serializer[None]):
    current_password = Password()
    new_password = Password()


class AddressChange(serializers.Serializer[None]):
    new_email = Address()
    password = Password()


class PasswordProof(serializers.Serializer[None]):
    password = Password()


class Profile(serializers.ModelSerializer[User]):
    """What people may write of themselves is name, phone and address."""

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
    ended = serializers.IntegerField(help_text="How many sessions.")


class EndSessions(serializers.Serializer[None]):
    keep_current = serializers.BooleanField(default=False, help_text="1: the one that asks goes on.")


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
