"""What users do with their own account."""

import uuid
from typing import cast

from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from users_app.api import account_serializers
from users_app.api.managed import AccountsKeptHere, require_accounts_here
from users_app.api.parsing import validated
from users_app.api.serializers import Detail, Me
from users_app.api.signing_in import token_body
from users_app.clients import client_of
from users_app.hooks import login_payload
from users_app.http.authentication import bearer_token
from users_app.http.cookies import clear_cookies, set_cookies
from users_app.http.cross_site import may_use_cookies
from users_app.http.pagination import NewestFirst
from users_app.http.signed_in import person_of
from users_app.http.throttles import AuthLimit
from users_app.identity.local import issued
from users_app.models import Session, User
from users_app.roles import may_manage_all
from users_app.services import own_account, sessions
from users_app.tokens import AccessToken


@method_decorator(never_cache, name="dispatch")
class PersonalView(APIView):
    """For signed-in users; DRF's default permission sees to it."""


def session_of(request: Request) -> Session:
    return cast(AccessToken, request.auth).session


class CurrentPerson(PersonalView):
    def get_throttles(self) -> list[BaseThrottle]:
        """Limit DELETE like a sign-in, because it checks a password."""
        return [AuthLimit()] if self.request.method == "DELETE" else super().get_throttles()

    @extend_schema(responses=Me)
    def get(self, request: Request) -> Response:
        """Who is signed in."""
        person = person_of(request)
        # Pages ask this most often, and making a serializer would take longer than everything else here.
        return Response({name: getattr(person, name) for name in Me.Meta.fields})

    @extend_schema(request=account_serializers.PasswordProof, responses={200: Detail})
    def delete(self, request: Request) -> Response:
        """Delete the signed-in user's account for good, with the films that the user has uploaded."""
        require_accounts_here()
        form = validated(account_serializers.PasswordProof, request.data)
        own_account.delete(user=person_of(request), password=form["password"], client=client_of(request))
        response = Response({"detail": "Your account has been deleted."})
        if may_use_cookies(request):
            clear_cookies(response)
        return response


class ChangePassword(AccountsKeptHere, PersonalView):
    throttle_classes = (AuthLimit,)

    @extend_schema(request=account_serializers.PasswordChange, responses=Detail)
    def post(self, request: Request) -> Response:
        """Change the password; every other session ends, and this one gets new tokens, by cookies or in the body."""
        form = validated(account_serializers.PasswordChange, request.data)
        changed = own_account.change_own_password(
            user=person_of(request), session=session_of(request), client=client_of(request), **form
        )
        tokens = issued(changed)
        body = {"detail": "Your password has been changed."}
        if bearer_token(request) is not None:
            return Response({**body, **token_body(tokens)})
        response = Response(body)
        set_cookies(response, tokens)
        return response


class ChangeAddress(AccountsKeptHere, PersonalView):
    throttle_classes = (AuthLimit,)

    @extend_schema(request=account_serializers.AddressChange, responses=Detail)
    def post(self, request: Request) -> Response:
        """Ask for a new e-mail address; it changes when the user follows the link that is sent there."""
        form = validated(account_serializers.AddressChange, request.data)
        own_account.ask_for_new_address(user=person_of(request), client=client_of(request), **form)
        return Response({"detail": "Please follow the link that we sent to the new address."})


class Sessions(AccountsKeptHere, PersonalView):
    @extend_schema(
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)],
        responses=account_serializers.SessionPage,
    )
    def get(self, request: Request) -> Response:
        """Where the user is signed in, latest first, in pages."""
        page = NewestFirst(request).page(sessions.live_sessions(user=person_of(request)))
        context = {"current": session_of(request)}
        return page.response(account_serializers.SessionAnswer(page.rows, many=True, context=context).data)

    @extend_schema(parameters=[account_serializers.EndSessions], responses={200: account_serializers.Ended})
    def delete(self, request: Request) -> Response:
        """Sign out on all devices, or on all other devices."""
        query = validated(account_serializers.EndSessions, request.query_params)
        keeps_current: bool = query["keep_current"]
        ended = sessions.revoke_all(user=person_of(request), but=session_of(request) if keeps_current else None)
        response = Response({"ended": ended})
        if not keeps_current and may_use_cookies(request):
            clear_cookies(response)
        return response


class SessionEntry(AccountsKeptHere, PersonalView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: uuid.UUID) -> Response:
        """Sign out on one device."""
        if not sessions.live_sessions(user=person_of(request)).filter(pk=session_id).exists():
            raise Http404
        sessions.revoke(session_id=session_id)
        response = Response(status=status.HTTP_204_NO_CONTENT)
        if session_id == session_of(request).pk and may_use_cookies(request):
            clear_cookies(response)
        return response


class AccountExport(PersonalView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Everything that is kept about the signed-in user, as a file."""
        headers = {"Content-Disposition": 'attachment; filename="videoflix-account.json"'}
        return Response(own_account.export(user=person_of(request)), headers=headers)


class OwnProfile(PersonalView):
    def person(self, request: Request, user_id: int | None) -> User:
        """Return the user's own account, or for admins any account; raises Http404 for everyone else."""
        asker = person_of(request)
        if user_id is None or user_id == asker.pk:
            return asker
        person = User.objects.filter(pk=user_id, erased_at=None).first() if may_manage_all(asker.role) else None
        if person is None:
            raise Http404
        return person

    @extend_schema(responses=account_serializers.ProfileAnswer)
    def get(self, request: Request, user_id: int | None = None) -> Response:
        """The user's own profile, or for admins any profile."""
        return Response(profile_json([self.person(request, user_id)])[0])

    @extend_schema(request=account_serializers.Profile, responses=account_serializers.ProfileAnswer)
    def patch(self, request: Request, user_id: int | None = None) -> Response:
        """Change name, phone or address."""
        person = self.person(request, user_id)
        form = account_serializers.Profile(person, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        # Only these columns, because the account may have been closed or given another role since it was read.
        for name, value in form.validated_data.items():
            setattr(person, name, value)
        person.save(update_fields=list(form.validated_data))
        return Response(profile_json([person])[0])


def profile_json(people: list[User]) -> list[dict[str, object]]:
    added = login_payload.collect_many(people)
    return [{**account_serializers.Profile(person).data, **added[person.pk]} for person in people]
