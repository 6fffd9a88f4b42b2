"""The audit trail for admins."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from users_app.api.parsing import validated
from users_app.api.people import AdminView
from users_app.http.pagination import NewestFirst
from users_app.models import AuditEntry, User

MAX_ID = 2**63 - 1


class AuditFilter(serializers.Serializer[None]):
    action = serializers.CharField(max_length=40, required=False, help_text="For example sign_in or video_deleted.")
    actor = serializers.IntegerField(min_value=1, max_value=MAX_ID, required=False, help_text="The id of a user.")
    target = serializers.CharField(max_length=200, required=False, help_text="For example video:7 or user:3.")
    status = serializers.IntegerField(min_value=100, max_value=599, required=False)
    address = serializers.IPAddressField(required=False)
    request_id = serializers.CharField(max_length=64, required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Exclusive.")


class Actor(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email")


class Entry(serializers.ModelSerializer[AuditEntry]):
    actor = Actor(allow_null=True)

    class Meta:
        model = AuditEntry
        fields = (
            *("id", "at", "action", "actor", "target", "method", "route", "status"),
            *("address", "request_id", "detail"),
        )
        read_only_fields = fields


class AuditPage(serializers.Serializer[None]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = Entry(many=True)


class LatestFirst(NewestFirst):
    field = "at"


class Audit(AdminView):
    @extend_schema(
        operation_id="api_v1_audit_list",
        parameters=[AuditFilter, OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)],
        responses=AuditPage,
    )
    def get(self, request: Request) -> Response:
        """Who did what, latest first, in pages."""
        lookups = {"since": "at__gte", "until": "at__lt"}
        query = validated(AuditFilter, request.query_params)
        conditions = {lookups.get(name, name): value for name, value in query.items()}
        entries = AuditEntry.objects.select_related("actor").filter(**conditions)
        page = LatestFirst(request).page(entries)
        return page.response(Entry(page.rows, many=True).data)
