"""Users change the email address they log in with, by a link that is sent to the new address.

Nothing is stored until the user confirms the link: the request is in the link itself, signed. So the database never has
an address that nobody confirmed, with which django-allauth would let somebody log in. The link is valid for a day, for
the user who asked, who must be logged in, and only until their address or password changes.
"""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.history import attributed

SALT = "accounts.own_address"  # of links in emails that were sent: it stays
LINK_HOURS = 24
VOID = _("This link was used already, is older than a day, or is not for the log-in you are using. Ask for a new one.")
TAKEN = _("Somebody logs in with this address already, so it can’t be yours as well.")


def link_key(user: User, address: str) -> str:
    """Return the key of the link that changes the user's address to this one."""
    return signing.dumps([*_login_state(user), address], salt=SALT)


def new_address(user: User, key: str) -> str:
    """Return the address in the key of a link.

    Raises ValidationError if the link is not valid, or not for this user.
    """
    address: str
    try:
        *login_state, address = signing.loads(key, salt=SALT, max_age=LINK_HOURS * 3600)
    except signing.BadSignature:
        raise ValidationError(VOID, code="link_void") from None
    if login_state != _login_state(user):
        raise ValidationError(VOID, code="link_void")
    return address


def _login_state(user: User) -> list[object]:
    """Return the user's key, their address and a digest of their password; a change of any voids their links."""
    return [user.pk, user.email, user.get_session_auth_hash()[:20]]


def ask_for_address(user: User, address: str, *, link: Callable[[str], str]) -> None:
    """Send the link to the new address, and a notice to the old one; `link` returns the URL for a link's key.

    If the new address is taken, its owner gets an email about it instead. The user who asks isn't told, so that nobody
    can find out who has a login. Raises OSError if a message can't be sent.
    """
    context = {"user": user, "address": address}
    if User.objects.filter(email=address).exists():
        mail_about_log_in(address, "address_taken", context)
    else:
        mail_about_log_in(
            address, "address_link", {**context, "link": link(link_key(user, address)), "hours": LINK_HOURS}
        )
    mail_about_log_in(user.email, "address_asked", context)


def change_address(user: User, key: str) -> User:
    """Change the user's address to the one of the link, and return the changed user.

    The old address gets an email about it, and can't be used to log in any longer (see `User.save`). Raises
    ValidationError if the link is not valid or the address is taken.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        old, user.email = user.email, new_address(user, key)
        if User.objects.filter(email=user.email).exists():
            raise ValidationError(TAKEN, code="address_taken")
        try:
            with transaction.atomic():
                attributed(user, to=user).save()
        except IntegrityError:  # taken since the line above
            raise ValidationError(TAKEN, code="address_taken") from None
        transaction.on_commit(
            partial(mail_about_log_in, old, "address_changed", {"user": user, "address": user.email}), robust=True
        )
    return user


def mail_about_log_in(to: str, what: str, context: dict[str, object]) -> None:
    """Send the email of the template `account/email/<what>.txt`, in the language of the context's `user`.

    The first line of the template is the subject.
    """
    user = context["user"]
    assert isinstance(user, User)
    with translation.override(user.language):
        text = render_to_string(f"account/email/{what}.txt", {**context, "brand": settings.BRAND_NAME})
    subject, __, body = text.strip().partition("\n")
    send_mail(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}", body.strip() + "\n", None, [to])
