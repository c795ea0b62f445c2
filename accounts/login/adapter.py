"""How django-allauth behaves here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import get_client_ip
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.models import User

NO_ADDRESS = "0.0.0.0"


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by himself: the provider makes the log-ins."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": _("Too many failed login attempts. Wait five minutes, then try again."),
        "rate_limited": _("Too many failed attempts. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail in the language of the `user` it is for; whoever asked for it may use another's browser."""
        user = context.get("user")
        with translation.override(user.language if isinstance(user, User) else translation.get_language()):
            super().send_mail(template_prefix, email, context)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        super().send_notification_mail(template_prefix, user, {**(context or {}), "user": user}, email)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return where the visitor comes from; over a socket in a file, say, nobody can tell."""
        return get_client_ip(request) or NO_ADDRESS
