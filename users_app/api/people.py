"""The users as admins see them, and the roles that admins give them."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from users_app.api import account_serializers
from users_app.api.own_account import PersonalView, profile_json
from users_app.api.parsing import validated
from users_app.http.pagination import NewestFirst
from users_app.http.signed_in import person_of
from users_app.models import User
from users_app.roles import Role, may_manage_all
from users_app.services.accounts import assign_role


class AdminView(PersonalView):
    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if not may_manage_all(person_of(request).role):
            raise PermissionDenied("Only admins may see this.")


class JoinedLast(NewestFirst):
    field = "date_joined"


class Profiles(AdminView):
    @extend_schema(operation_id="users_profiles_list", responses=account_serializers.ProfileAnswer(many=True))
    def get(self, request: Request) -> Response:
        """All profiles, newest first, as one array; `/api/v1/users/` has pages."""
        return Response(profile_json(list(User.objects.filter(erased_at=None).order_by("-date_joined", "-id"))))


class People(AdminView):
    @extend_schema(
        operation_id="api_v1_users_list",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)],
        responses=account_serializers.PersonPage,
    )
    def get(self, request: Request) -> Response:
        """All users, newest first, in pages."""
        page = JoinedLast(request).page(User.objects.filter(erased_at=None))
        return page.response(account_serializers.ListedPerson(page.rows, many=True).data)


class PersonRole(AdminView):
    @extend_schema(request=account_serializers.RoleChange, responses=account_serializers.ListedPerson)
    def patch(self, request: Request, user_id: int) -> Response:
        """Make a user an admin, a creator or a viewer; the last admin stays an admin."""
        form = validated(account_serializers.RoleChange, request.data)
        person = User.objects.filter(pk=user_id, erased_at=None).first()
        if person is None:
            raise Http404
        assign_role(user=person, role=Role(form["role_name"]))
        return Response(account_serializers.ListedPerson(person).data)
