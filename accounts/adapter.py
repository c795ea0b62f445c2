"""How django-allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import get_client_ip
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

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

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return where the visitor comes from; over a socket in a file, say, nobody can tell."""
        return get_client_ip(request) or NO_ADDRESS
