"""Users change the email address they log in with, by a link that is sent to the new address.

No page stores the new address before the user confirms the link: the link itself has it, signed (`tokens.py`). So no
user ever has an address that nobody confirmed, with which django-allauth would let somebody log in. The link is valid
for a day, for the user who asked, who must be logged in, and only until their address or password changes.
"""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.login.mail import LoginMail, queue_login_mail
from accounts.login.tokens import new_address
from accounts.models import User
from core.history import attributed

TAKEN = _("Somebody logs in with this address already, so it can’t be yours as well.")


@transaction.atomic
def ask_for_address(user: User, address: str) -> None:
    """Queue the email with the link to the new address, and a notice to the old one.

    If the new address is taken, its owner gets an email about it instead. The user who asks isn't told, so that nobody
    can find out who has a login.
    """
    owner = User.objects.filter(email=address).first()
    if owner is not None:
        queue_login_mail(LoginMail.ADDRESS_TAKEN, owner)
    else:
        queue_login_mail(LoginMail.ADDRESS_LINK, user, to=address)
    queue_login_mail(LoginMail.ADDRESS_ASKED, user, facts={"address": address})


@transaction.atomic
def change_address(user: User, key: str) -> User:
    """Change the user's address to the one of the link, and return the changed user.

    The old address gets an email about it, and can't be used to log in any longer (see `User.save`). Raises
    ValidationError if the link is not valid or the address is taken.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    old, user.email = user.email, new_address(user, key)
    if User.objects.filter(email=user.email).exists():
        raise ValidationError(TAKEN, code="address_taken")
    try:
        with transaction.atomic():
            attributed(user, to=user).save()
    except IntegrityError:  # taken since the line above
        raise ValidationError(TAKEN, code="address_taken") from None
    queue_login_mail(LoginMail.ADDRESS_CHANGED, user, to=old, facts={"address": user.email})
    return user
