"""The provider for accounts that this site keeps itself."""

from django.conf import settings

from users_app.clients import Client
from users_app.identity.provider import Issued
from users_app.models import Session, User, session_lifetime
from users_app.services import registration, sessions
from users_app.services.accounts import check_credentials
from users_app.services.sessions import Tokens
from users_app.tokens import AccessToken, read_access


class LocalAccounts:
    keeps_accounts_here = True

    def register(self, *, email: str, password: str, name: str, phone: str, address: str) -> None:
        registration.require_strong_password(password=password, user=User(email=email, name=name))
        registration.register_account(email=email, password=password, name=name, phone=phone, address=address)

    def confirm_by_code(self, *, email: str, code: str) -> None:
        registration.confirm_by_code(email=email, code=code)

    def sign_in(self, *, email: str, password: str, is_remembered: bool, client: Client) -> tuple[User, Issued]:
        user = check_credentials(email=email, password=password, client=client)
        return user, issued(sessions.open_session(user=user, is_remembered=is_remembered, client=client))

    def refresh(self, *, refresh_token: str, client: Client) -> Issued:
        return issued(sessions.rotate(refresh_token=refresh_token, client=client))

    def sign_out(self, *, refresh_token: str | None, access_token: str | None) -> None:
        sessions.end_session(refresh_token=refresh_token, access_token=access_token)

    def validate(self, *, access_token: str) -> AccessToken:
        return read_access(access_token)

    def person_behind(self, validated_token: AccessToken) -> User:
        validated_token.session = sessions.session_behind(validated_token)
        return validated_token.session.user

    def device_behind(self, *, access_token: str) -> Session:
        return sessions.live_session(access_token=access_token)

    def device_to_renew(self, *, refresh_token: str) -> Session:
        return sessions.session_to_renew(refresh_token=refresh_token)

    def tokens_again(self, session: Session) -> Issued | None:
        return issued(sessions.tokens_of(session))


def issued(tokens: Tokens) -> Issued:
    lifetime = session_lifetime(is_remembered=tokens.is_remembered)
    return Issued(tokens.access, tokens.refresh, settings.ACCESS_TOKEN_LIFETIME, lifetime)
