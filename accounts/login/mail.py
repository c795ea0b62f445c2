"""Email about logging in: queued in the transaction of what it reports, and worded only when it is delivered.

The outbox stores the kind of email, the user, the address, and a keyed digest of what the user logged in with when it
was queued. Links are made at delivery and stored nowhere: staff can read what the outbox stores, and a link would let
them log in as somebody else. See docs/decisions/0017-mail-about-logging-in.md.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.login.keys import secrets_in_use
from accounts.login.tokens import LINK_HOURS, ResetTokens, address_key
from accounts.models import User
from core.outbox.kinds import Obsolete
from core.outbox.models import OutgoingEmail
from core.outbox.queue import queue
from core.outbox.sender import sender

EMAIL_KIND: Final = "accounts.login"
SALT: Final = "accounts.login.mail"


class LoginMail(enum.StrEnum):
    """The kinds of email about logging in. The text of each is `templates/account/email/<kind>.txt`."""

    RESET_LINK = "reset_link"
    ADDRESS_LINK = "address_link"
    ADDRESS_ASKED = "address_asked"
    ADDRESS_TAKEN = "address_taken"
    ADDRESS_CHANGED = "address_changed"
    ADDRESS_SET_BY_STAFF = "address_set_by_staff"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    PASSWORD_SET = "password_set"
    PASSWORD_SET_BY_STAFF = "password_set_by_staff"
    APP_ADDED = "app_added"
    APP_REMOVED = "app_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    CODES_MADE = "codes_made"
    FACTOR_TAKEN_OFF = "factor_taken_off"

    @property
    def lifetime(self) -> timedelta | None:
        """How long the link in the email is valid, counted from when it was queued; None if it has no secret link."""
        if self == LoginMail.RESET_LINK:
            return timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        return timedelta(hours=LINK_HOURS) if self == LoginMail.ADDRESS_LINK else None


def queue_login_mail(
    what: LoginMail, user: User, *, to: str = "", facts: Mapping[str, str] | None = None
) -> OutgoingEmail:
    """Queue an email about the user's login in the caller's transaction, and return its row in the outbox.

    It goes `to` this address, by default the one that the user logs in with. `facts` are values that the text names;
    they are stored, so never pass a secret.
    """
    data = {"what": what.value, "user": user.pk, "state": _digests(user)[0], "facts": dict(facts or {})}
    return queue(EMAIL_KIND, address=to or user.email, data=data)


def _digests(user: User) -> list[str]:
    """Return keyed digests of what the user logs in with: by SECRET_KEY, then by each of SECRET_KEY_FALLBACKS."""
    state = f"{user.pk}\0{user.email}\0{user.password}\0{user.is_active}"
    return [salted_hmac(SALT, state, secret=secret, algorithm="sha256").hexdigest() for secret in secrets_in_use()]


@dataclass(frozen=True)
class LoginMailBatch:
    """Emails about logging in that are delivered together. Each reads its user again when it is prepared."""

    def prepare(self, email: OutgoingEmail, now: datetime) -> EmailMultiAlternatives | Obsolete:
        """Return the message of the email, or why it must no longer be sent. One query."""
        what = LoginMail(email.data["what"])
        user = User.objects.filter(pk=email.data["user"]).first()
        if user is None or not user.is_active:
            return Obsolete("The user has been deactivated.")
        if what.lifetime is not None:
            if email.created_at + what.lifetime <= now:
                return Obsolete("The link would have expired already.")
            if not any(constant_time_compare(email.data["state"], digest) for digest in _digests(user)):
                return Obsolete("The user's email or password has changed since.")
        return _message(what, user, email)


def open_batch(emails: Sequence[OutgoingEmail]) -> LoginMailBatch:
    return LoginMailBatch()


def _message(what: LoginMail, user: User, email: OutgoingEmail) -> EmailMultiAlternatives:
    """Return the email in the user's language. The first line of the template is the subject."""
    with translation.override(user.language), timezone.override("UTC"):
        text = render_to_string(f"account/email/{what}.txt", _context(what, user, email))
    subject, __, body = text.strip().partition("\n")
    return EmailMultiAlternatives(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}",
        body=body.strip() + "\n",
        from_email=sender(),
        to=[email.address],
    )


def _context(what: LoginMail, user: User, email: OutgoingEmail) -> dict[str, Any]:
    facts: dict[str, str] = email.data["facts"]
    asked_at = email.created_at
    context = {
        **facts,
        "brand": settings.BRAND_NAME,
        "user": user,
        "when": asked_at,
        "hours": LINK_HOURS,
        "until": asked_at + what.lifetime if what.lifetime else None,
        "reset_page": _url("account_reset_password"),
    }
    if what == LoginMail.RESET_LINK:
        token = ResetTokens(asked_at).make_token(user)
        context["link"] = _url("account_reset_password_from_key", uidb36=user_pk_to_url_str(user), key=token)
    elif what == LoginMail.ADDRESS_LINK:
        context["link"] = _url("confirm_address", key=address_key(user, email.address, asked_at))
    return context


def _url(name: str, **parts: str) -> str:
    """Return the URL of a page on SITE_URL, whatever host the request named."""
    return f"{settings.SITE_URL}{reverse(name, kwargs=parts)}"
