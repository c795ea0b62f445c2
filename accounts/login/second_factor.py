"""The second factor at log-in: an authenticator app or passkeys, with recovery codes; from django-allauth.

Customers may have one. Staff must where STAFF_SECOND_FACTOR says so: see `config.middleware.StaffSecondFactor`.
"""

import base64
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
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
from allauth.usersessions.models import UserSession
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import CharField, Form
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.encoding import force_bytes
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.login.change_of_address import mail_about_log_in
from accounts.models import User
from core.history import attributed

# Recovery codes alone are none: they stand in for one of these.
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class SecondFactorAdapter(DefaultMFAAdapter):
    """How django-allauth's factors behave here: secrets are encrypted in the database, names are ours."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("That code is not right, or was used before. Type the newest one."),
    }

    def encrypt(self, text: str) -> str:
        """Return the secret as the database keeps it: a copy of the database alone opens no log-in."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; one nobody knows where it was encrypted with a SECRET_KEY that is gone."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return generate_totp_secret()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey %(number)s") % {"number": count + 1} if count else gettext("Passkey")

    def _get_site_name(self) -> str:
        return settings.BRAND_NAME


def _cipher() -> MultiFernet:
    """Return what encrypts with SECRET_KEY, and decrypts with its SECRET_KEY_FALLBACKS too."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = (sha256(b"accounts.login.second_factor:" + force_bytes(secret)).digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def has_second_factor(user: User) -> bool:
    return is_mfa_enabled(user, FACTORS)


def passed_second_factor(request: HttpRequest) -> bool:
    """Tell whether the visitor has a second factor now and used it in this session; one he set up in it counts.

    Having one is not enough: a session that began before, by the password alone, may be somebody else's.
    """
    used = any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))
    return used and has_second_factor(request.user)  # type: ignore[arg-type]


def where_to_pass(user: User) -> str | None:
    """Return the address where the user shows the second factor he has, or None where he has none."""
    if not has_second_factor(user):
        return None
    methods = get_adapter().get_reauthentication_methods(user)
    return next(method["url"] for method in methods if method["id"].startswith("mfa_reauthenticate"))


def take_off_second_factor(user: User, *, by: User) -> None:
    """Take every factor and recovery code off somebody's log-in, for one who lost them, and log him out everywhere.

    His history says who did it, and he is told by mail. Whether `by` may do it is the caller's to ask.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        Authenticator.objects.filter(user=user).delete()
        for session in UserSession.objects.filter(user=user):
            session.end()
        vars(user)["_change_reason"] = "Second factor taken off"
        attributed(user, to=by).save()
        transaction.on_commit(partial(mail_about_log_in, user.email, "factor_taken_off", {"user": user}), robust=True)


class PasskeyChecks:
    """A form with a passkey in it; what is none is refused, where the libraries below raise all sorts of errors."""

    def clean(self) -> Any:
        return _refusing(super().clean)  # type: ignore[misc]

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]  # type: ignore[attr-defined]
        return _refusing(getattr(super(), "clean_credential", lambda: credential))


def _refusing(check: Callable[[], Any]) -> Any:
    """Return what the check returns, or refuse the passkey it stumbles over."""
    try:
        return check()
    except (ValueError, TypeError, LookupError, AttributeError, InvalidSignature) as error:
        raise ValidationError(_("That is not a passkey of this log-in."), code="not_a_passkey") from error


class AddPasskeyForm(PasskeyChecks, AddWebAuthnForm):
    """Takes a new passkey."""

    name = CharField(label=_("Name"), required=False)  # django-allauth's has no label to translate


class NamePasskeyForm(EditWebAuthnForm):
    """Takes another name for a passkey."""

    name = CharField(label=_("Name"))


class ShowPasskeyForm(PasskeyChecks, AuthenticateWebAuthnForm):
    """Takes a passkey at log-in."""


class ShowPasskeyAgainForm(PasskeyChecks, ReauthenticateWebAuthnForm):
    """Takes a passkey before what matters."""


class Enrols:
    """A view that adds a factor: this session has passed it, and all others, which have not, end."""

    def form_valid(self, form: Form) -> HttpResponse:
        response = super().form_valid(form)  # type: ignore[misc]
        request: Any = self.request  # type: ignore[attr-defined]
        record_authentication(request, request.user, "mfa", reauthenticated=True)
        end_other_sessions(request, request.user)
        messages.info(request, gettext("Wherever else you were logged in, you are logged out now."))
        return response


@method_decorator(csp_update({"img-src": ["data:"]}), name="dispatch")
class ActivateApp(Enrols, ActivateTOTPView):
    """Set up an authenticator app; its page alone shows a picture that is in the page, the QR code."""


class AddPasskey(Enrols, AddWebAuthnView):
    """Add a passkey."""


class ShowPasskeyAgain(ReauthenticateWebAuthnView):
    """Show a passkey before what matters; a wrong one is said on the page itself."""

    def form_invalid(self, form: Form) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))
