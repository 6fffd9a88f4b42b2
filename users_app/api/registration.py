"""Registering and confirming accounts, and choosing a new password."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from users_app.accounts_provider import accounts_provider
from users_app.api import account_serializers
from users_app.api.managed import AccountsKeptHere, require_accounts_here
from users_app.api.open_view import OpenView
from users_app.api.parsing import validated
from users_app.api.serializers import Detail
from users_app.http.throttles import AddressQuestionLimit, AddressQuestionsADay, AuthLimit
from users_app.identity.provider import ManagedElsewhere
from users_app.models import User
from users_app.services import own_account, recovery, registration
from users_app.services.followed_links import InvalidLink

MAIL_SENT = "If there is an account with this address, an e-mail is on its way."
REDIRECT = {302: OpenApiResponse(description="To FRONTEND_URL, or to the built-in sign-in page.")}


class Register(OpenView):
    """The JSON route for programs."""

    throttle_classes = (AuthLimit,)
    form: type[account_serializers.Registration] = account_serializers.Registration

    @extend_schema(request=account_serializers.Registration, responses={201: account_serializers.Registered})
    def post(self, request: Request) -> Response:
        """Register an account, which works once its address is confirmed. A taken address gets the same answer."""
        fields = validated(self.form, request.data)
        accounts_provider().register(**fields)
        return Response({"email": fields["email"]}, status.HTTP_201_CREATED)


class RegisterByForm(Register):
    """The route of the form, in which people type their password twice."""

    form = account_serializers.RegistrationForm

    @extend_schema(request=account_serializers.RegistrationForm, responses={201: account_serializers.Registered})
    def post(self, request: Request) -> Response:
        """Register an account, which works once its address is confirmed. A taken address gets the same answer."""
        return super().post(request)


class AddressExists(OpenView):
    throttle_classes = (AddressQuestionLimit, AddressQuestionsADay)

    @extend_schema(parameters=[account_serializers.AddressQuestion], responses=account_serializers.AddressAnswer)
    def get(self, request: Request) -> Response:
        """Whether there is an account with this address; the only route that tells."""
        question = validated(account_serializers.AddressQuestion, request.query_params)
        return Response({"exists": User.objects.filter(email=question["email"]).exists()})


class LinkView(OpenView):
    """Where links in mails lead to: redirects, or answers a problem with a page for people and JSON for front ends."""

    throttle_classes = (AuthLimit,)
    built_in_page: str

    def follow(self, uid: str, token: str) -> None:
        raise NotImplementedError

    def get(self, request: Request) -> Response | HttpResponse:
        link = account_serializers.LinkForm(data=request.query_params)
        try:
            require_accounts_here()
            if not link.is_valid():
                raise InvalidLink
            self.follow(link.validated_data["uid"], link.validated_data["token"])
        except (InvalidLink, ManagedElsewhere) as error:
            if request._request.get_preferred_type(["application/json", "text/html"]) == "text/html":
                context = {"detail": error.sentence}
                return render(request._request, "link_problem.html", context, status=error.kind.value)
            raise
        return redirect(settings.FRONTEND_URL or self.built_in_page)


class ConfirmAddress(LinkView):
    built_in_page = "/login/?confirmed=1"

    def follow(self, uid: str, token: str) -> None:
        registration.confirm(uid=uid, token=token)

    @extend_schema(parameters=[account_serializers.LinkForm], responses=REDIRECT)
    def get(self, request: Request) -> Response | HttpResponse:
        """Activate an account by the link in the e-mail, which works once."""
        return super().get(request)


class ConfirmNewAddress(LinkView):
    built_in_page = "/login/?email_changed=1"

    def follow(self, uid: str, token: str) -> None:
        own_account.confirm_new_address(uid=uid, token=token)

    @extend_schema(parameters=[account_serializers.LinkForm], responses=REDIRECT)
    def get(self, request: Request) -> Response | HttpResponse:
        """Change an account's address by the link in the e-mail to the new address, which works once."""
        return super().get(request)


class ConfirmByCode(OpenView):
    throttle_classes = (AuthLimit,)

    @extend_schema(request=account_serializers.CodeForm, responses=Detail)
    def post(self, request: Request) -> Response:
        """Activate an account by the six digits in the e-mail."""
        form = validated(account_serializers.CodeForm, request.data)
        accounts_provider().confirm_by_code(email=form["email"], code=form["otp"])
        return Response({"detail": "Your address is confirmed. You can sign in now."})


class ForgotPassword(AccountsKeptHere, OpenView):
    throttle_classes = (AuthLimit,)

    @extend_schema(request=account_serializers.AddressQuestion, responses=Detail)
    def post(self, request: Request) -> Response:
        """Send a link for choosing a new password; the answer is the same for every address."""
        form = validated(account_serializers.AddressQuestion, request.data)
        recovery.ask_for_reset(email=form["email"])
        return Response({"detail": MAIL_SENT})


class ResetPassword(AccountsKeptHere, OpenView):
    throttle_classes = (AuthLimit,)

    @extend_schema(request=account_serializers.ResetForm, responses=Detail)
    def post(self, request: Request) -> Response:
        """Choose a new password by the link in the e-mail, which works once; every session ends."""
        form = validated(account_serializers.ResetForm, request.data)
        recovery.reset_password(**form)
        return Response({"detail": "Your password has been changed. You can sign in with it now."})
