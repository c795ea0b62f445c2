"""The second factor at login, by django-allauth: an authenticator app or passkeys, with recovery codes.

It is optional for customers. Staff must have one if STAFF_SECOND_FACTOR is on: see
`config.middleware.StaffSecondFactor`.
"""

import base64
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import CharField, Form, HiddenInput, JSONField
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.encoding import force_bytes
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.login.keys import secrets_in_use
from accounts.login.mail import LoginMail, queue_login_mail
from accounts.models import User

# Part of the key that stored secrets are encrypted with: whoever changes it locks out everybody with an app.
KEY_PREFIX = b"accounts.second_factor:"
# Recovery codes alone are not a factor: they only replace one of these.
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class SecondFactorAdapter(DefaultMFAAdapter):
    """Encrypts the secrets in the database, and uses our names for the site and for passkeys."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("That code is not right, or was used before. Type the newest one."),
    }

    def encrypt(self, text: str) -> str:
        """Return the encrypted secret, as it is stored: a copy of the database alone is not enough to log in."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret, or a random one, which no code matches, if it was encrypted with a SECRET_KEY we lost."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            secret: str = generate_totp_secret()
            return secret

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey %(number)s") % {"number": count + 1} if count else gettext("Passkey")

    def _get_site_name(self) -> str:
        brand: str = settings.BRAND_NAME
        return brand


def _cipher() -> MultiFernet:
    """Return a cipher that encrypts with SECRET_KEY, and decrypts with it and with SECRET_KEY_FALLBACKS."""
    keys = (sha256(KEY_PREFIX + force_bytes(secret)).digest() for secret in secrets_in_use())
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def has_second_factor(user: User) -> bool:
    has_one: bool = is_mfa_enabled(user, FACTORS)
    return has_one


def passed_second_factor(request: HttpRequest) -> bool:
    """Return whether the user has a second factor and passed it in this session, or set it up in this session.

    It is not enough to have one: somebody else may have started this session earlier, with the password alone.
    """
    used = any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))
    return used and has_second_factor(request.user)  # type: ignore[arg-type]


def where_to_pass(user: User) -> str | None:
    """Return the URL of the page where the user passes their second factor, or None if they have none."""
    if not has_second_factor(user):
        return None
    methods: list[dict[str, str]] = get_adapter().get_reauthentication_methods(user)
    return next(method["url"] for method in methods if method["id"].startswith("mfa_reauthenticate"))


class CredentialField(JSONField):
    """A passkey's answer. JSON that is nested too deeply is refused like other text that is no answer."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": ""}) from None


class PasskeyChecks(Form):
    """A form with a passkey. Anything else is a ValidationError, for which the libraries raise errors of many types."""

    credential = CredentialField(widget=HiddenInput)

    def clean(self) -> Any:
        return _refusing(super().clean)

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]
        return _refusing(getattr(super(), "clean_credential", lambda: credential))


def _refusing(check: Callable[[], Any]) -> Any:
    """Return what the check returns; raise ValidationError if it fails on something that is not a passkey."""
    try:
        return check()
    except (ValueError, TypeError, LookupError, AttributeError, InvalidSignature) as error:
        raise ValidationError(_("That is not a passkey of this log-in."), code="not_a_passkey") from error


class AddPasskeyForm(PasskeyChecks, AddWebAuthnForm):
    """Adds a passkey."""

    name = CharField(label=_("Name"), required=False)  # django-allauth's has no label to translate


class NamePasskeyForm(EditWebAuthnForm):
    """Renames a passkey."""

    name = CharField(label=_("Name"))


class ShowPasskeyForm(PasskeyChecks, AuthenticateWebAuthnForm):
    """Checks a passkey at login."""


class ShowPasskeyAgainForm(PasskeyChecks, ReauthenticateWebAuthnForm):
    """Checks a passkey again before a sensitive change."""


class Enrols:
    """A view that adds a factor. The current session counts as having passed it; all other sessions end.

    `mail` is the email that the page queues, if django-allauth reports the change only after the commit.
    """

    mail: LoginMail | None = None

    @method_decorator(transaction.atomic)
    def form_valid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        request: Any = self.request  # type: ignore[attr-defined]
        if self.mail:
            queue_login_mail(self.mail, request.user)
        record_authentication(request, request.user, "mfa", reauthenticated=True)
        end_other_sessions(request, request.user)
        messages.info(request, gettext("Wherever else you were logged in, you are logged out now."))
        return response


@method_decorator(csp_update({"img-src": ["data:"]}), name="dispatch")
class ActivateApp(Enrols, ActivateTOTPView):
    """Set up an authenticator app. Only this page may show an inline image, its QR code."""

    mail = LoginMail.APP_ADDED


class AddPasskey(Enrols, AddWebAuthnView):
    """Add a passkey."""


class NewCodes(GenerateRecoveryCodesView):
    """Make new recovery codes, which replace the ones before."""

    @method_decorator(transaction.atomic)
    def form_valid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        queue_login_mail(LoginMail.CODES_MADE, self.request.user)
        return response


class ShowPasskeyAgain(ReauthenticateWebAuthnView):
    """Check a passkey before a sensitive change; if it is wrong, show the error on the same page."""

    def form_invalid(self, form: Form) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        return response
