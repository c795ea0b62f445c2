"""The secrets in links of email about logging in. Their lifetime counts from when the email was queued, not sent."""

from datetime import datetime
from typing import Any, Final

from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.login.keys import password_digest
from accounts.models import User

SALT: Final = "accounts.own_address"  # of links in emails that were sent: it stays
LINK_HOURS: Final = 24
VOID = _("This link was used already, is older than a day, or is not for the log-in you are using. Ask for a new one.")


class ResetTokens(EmailAwarePasswordResetTokenGenerator):
    """Makes tokens for a new password, as old as if they had been made at `asked_at`."""

    def __init__(self, asked_at: datetime) -> None:
        super().__init__()
        self.asked_at = asked_at

    def _now(self) -> datetime:
        return self.asked_at.astimezone().replace(tzinfo=None)


class _AskedAt(signing.TimestampSigner):
    """Signs as if it had been done at `asked_at`."""

    def __init__(self, asked_at: datetime) -> None:
        super().__init__(salt=SALT)
        self.asked_at = asked_at

    def timestamp(self) -> str:
        return signing.b62_encode(int(self.asked_at.timestamp()))


def address_key(user: User, address: str, asked_at: datetime) -> str:
    """Return the key of the link that changes the user's address to this one, within LINK_HOURS of `asked_at`."""
    key: str = _AskedAt(asked_at).sign_object([*_login_state(user), address])
    return key


def new_address(user: User, key: str) -> str:
    """Return the address in the key of a link.

    Raises ValidationError if the link is not valid, or not for this user.
    """
    try:
        *login_state, address = signing.loads(key, salt=SALT, max_age=LINK_HOURS * 3600)
    except signing.BadSignature:
        raise ValidationError(VOID, code="link_void") from None
    if login_state != _login_state(user):
        raise ValidationError(VOID, code="link_void")
    return str(address)


def _login_state(user: User) -> list[Any]:
    """Return the user's key, their address and a digest of their password; a change of any voids their links."""
    return [user.pk, user.email, password_digest(user)]
