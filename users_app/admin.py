"""Users and the audit trail in the admin site."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils import timezone
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from users_app.models import AuditEntry, User
from users_app.roles import Role
from users_app.services.accounts import LastAdmin, assign_role, is_last_admin, require_another_admin
from users_app.services.sessions import revoke_all
from users_app.staff.admin_base import StaffAdmin

admin.site.unregister(Group)  # the permissions of a group follow from the role that it is named after


class PersonAddForm(UserCreationForm):  # type: ignore[misc]  # unfold is untyped
    class Meta:
        model = User
        fields = ("email", "name", "role")


class PersonChangeForm(UserChangeForm):  # type: ignore[misc]  # unfold is untyped
    class Meta:
        model = User
        fields = ("email", "name", "phone", "address", "role", "is_active", "awaits_confirmation", "email_verified")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stays_admin = cleaned.get("role") == Role.ADMIN and cleaned.get("is_active")
        # Checked here for a sentence in the form; require_another_admin keeps the rule, in the transaction that saves.
        if not stays_admin and is_last_admin(user=self.instance):
            raise forms.ValidationError(LastAdmin.sentence)
        return cleaned


@admin.register(User)
class PersonAdmin(UserAdmin, StaffAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Permissions in the admin site follow from the role, so groups and flags cannot be edited one by one."""

    form = PersonChangeForm
    add_form = PersonAddForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "role", "is_active", "email_verified", "last_login", "date_joined")
    list_filter = ("role", "is_active", "awaits_confirmation", "email_verified", "date_joined")
    search_fields = ("email", "name", "phone")
    ordering = ("email",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "groups")
    actions = None  # staff deactivate and delete accounts one at a time
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("name", "phone", "address")}),
        ("What they may do", {"fields": ("role", "is_active", "awaits_confirmation", "email_verified", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "role", "usable_password", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the form; assign_role sets the role and all that follows from it."""
        role = Role(obj.role)
        if change and not (role is Role.ADMIN and obj.is_active):
            require_another_admin(user=obj)
        # Saved with its former role, so that assign_role sees the change.
        obj.role = form.initial.get("role", role) if change else role
        # A user whom staff activate need not follow the link in the mail any more.
        obj.awaits_confirmation = obj.awaits_confirmation and not obj.is_active
        # Staff have taken the account on, unless it is a registration that they leave inactive.
        is_registration = change and form.initial.get("awaits_confirmation") and not form.initial.get("is_active")
        if obj.is_active or not is_registration:
            obj.let_in_at = obj.let_in_at or timezone.now()
        super().save_model(request, obj, form, change)
        assign_role(user=obj, role=role)
        if not obj.is_active:
            revoke_all(user=obj)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        require_another_admin(user=obj)
        super().delete_model(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and is_last_admin(user=obj))


@admin.register(AuditEntry)
class AuditAdmin(StaffAdmin):
    """Read-only."""

    list_display = ("at", "action", "actor", "target", "status", "address", "route")
    list_filter = ("action", "status", "at")
    list_select_related = ("actor",)
    search_fields = ("target", "request_id", "actor__email")
    date_hierarchy = "at"
    fields = (
        *("at", "action", "actor", "target", "method", "route", "status"),
        *("address", "request_id", "detail"),
    )
    readonly_fields = fields
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False
