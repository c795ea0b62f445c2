"""A person changes the address he logs in with, by a link that goes to the new one.

Nothing is stored until the link is followed: the wish is in the link, signed. So no address that nobody has
confirmed is ever in the database, where django-allauth would let it log in. The link holds for a day, for the person
who asked, while he is logged in, and until his address or his password changes.
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

SALT = "accounts.login.change_of_address"
LINK_HOURS = 24
VOID = _("This link was used already, is older than a day, or is not for the log-in you are using. Ask for a new one.")
TAKEN = _("Somebody logs in with this address already, so it can’t be yours as well.")


def link_key(user: User, address: str) -> str:
    """Return the key of the link that changes the user's address to this one."""
    return signing.dumps([*_standing(user), address], salt=SALT)


def new_address(user: User, key: str) -> str:
    """Return the address the user wished for; refused where the link does not hold, or not for him."""
    try:
        *standing, address = signing.loads(key, salt=SALT, max_age=LINK_HOURS * 3600)
    except signing.BadSignature:
        raise ValidationError(VOID, code="link_void") from None
    if standing != _standing(user):
        raise ValidationError(VOID, code="link_void")
    return address


def _standing(user: User) -> list[object]:
    """Return who the user is and what he logs in with; where any of it changes, his links are void."""
    return [user.pk, user.email, user.get_session_auth_hash()[:20]]


def ask_for_address(user: User, address: str, *, link: Callable[[str], str]) -> None:
    """Mail the link to the new address, and a notice to the old one; `link` makes an address of the link's key.

    Who asks is not told whether the new address is taken: its owner is, by mail.
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
    """Return the user, who logs in with the address of the link now; refused where it does not hold, or is taken.

    His old address is told, and logs nobody in any more: `User.save` sees to that.
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
    """Send the mail of this name to one address, in the language of the `user` it is about; its first line is the
    subject."""
    user = context["user"]
    assert isinstance(user, User)
    with translation.override(user.language):
        text = render_to_string(f"account/email/{what}.txt", {**context, "brand": settings.BRAND_NAME})
    subject, __, body = text.strip().partition("\n")
    send_mail(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}", body.strip() + "\n", None, [to])
