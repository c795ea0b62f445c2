"""Our customization of django-allauth's account app."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import get_client_ip
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.login.mail import LoginMail, queue_login_mail
from accounts.login.throttle import count_attempt, count_link, forget_failures, remember_browser
from accounts.models import User

NO_ADDRESS = "0.0.0.0"
# Our emails by the names of django-allauth's. It reports some changes after the commit: for these, our pages queue the
# email in the transaction of the change (`Enrols.mail`, `NewCodes` in second_factor.py), and there is none here.
MAIL: dict[str, LoginMail | None] = {
    "account/email/password_changed": LoginMail.PASSWORD_CHANGED,
    "account/email/password_reset": LoginMail.PASSWORD_RESET,
    "account/email/password_set": LoginMail.PASSWORD_SET,
    "mfa/email/totp_activated": None,
    "mfa/email/totp_deactivated": LoginMail.APP_REMOVED,
    "mfa/email/webauthn_added": LoginMail.PASSKEY_ADDED,
    "mfa/email/webauthn_removed": LoginMail.PASSKEY_REMOVED,
    "mfa/email/recovery_codes_generated": None,
}


class AccountAdapter(DefaultAccountAdapter):
    """Closes signup, since the provider creates all users, queues mail in the outbox, and counts failures our way."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": _("Too many failed login attempts. Wait five minutes, then try again."),
        "rate_limited": _("Too many failed attempts. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Queue the email with the link, unless the user got many of them within an hour; those are still valid.

        The page answers the same, so nobody can keep a user from asking. The link in the context, which has the
        request's host, is not used.
        """
        if count_link(self.request, user):
            queue_login_mail(LoginMail.RESET_LINK, user)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Queue the email about a change of the user's login, to the address that they log in with."""
        if what := MAIL[template_prefix]:
            queue_login_mail(what, user, facts={"ip": self.get_client_ip(self.request)})

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raise NotImplementedError: django-allauth would send it at once, with links to the host of the request."""
        raise NotImplementedError(f"The email {template_prefix} has no place in accounts.login.mail.")

    def is_safe_url(self, url: str) -> bool:
        """Return whether a page may lead to this URL: one of this host, and over HTTPS if this page is."""
        host, secure = self.request.get_host(), self.request.is_secure()
        return url_has_allowed_host_and_scheme(url, {host}, require_https=secure)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raise ValidationError if there were too many failures; a success is not counted in the end."""
        self._login_failed_rl_usage = count_attempt(request, credentials.get("email", ""))
        if self._login_failed_rl_usage is None:
            raise self.validation_error("too_many_login_attempts")

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        forget_failures(request, credentials["email"])

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        remember_browser(request, response, user)
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the visitor's IP address, or a placeholder if there is none, as behind a Unix socket."""
        return get_client_ip(request) or NO_ADDRESS
