"""The action that adds or changes a user who logs in, as staff did in the back office."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from accounts.login.mail import LoginMail, queue_login_mail
from accounts.models import User
from accounts.roles import NOT_YOURS, require_staff
from core.history import attributed


@transaction.atomic
def save_user(user: User, *, by: User) -> User:
    """Save a new or changed user and return them. A changed email address is reported to both addresses.

    Raises PermissionDenied without the permission to add or change users; and unless `by` is a superuser, if the user
    is staff or would become staff. Raises ValidationError if a value is not valid.
    """
    require_staff(by, f"accounts.{'change' if user.pk else 'add'}_user", NOT_YOURS)
    if not User.objects.filter(pk=by.pk, is_superuser=True).exists() and _is_or_becomes_staff(user):
        raise PermissionDenied(NOT_YOURS)
    user.full_clean()
    old = User.objects.filter(pk=user.pk).values_list("email", flat=True).first()
    attributed(user, to=by).save()
    if old and old != user.email:
        for address in (old, user.email):
            queue_login_mail(LoginMail.ADDRESS_SET_BY_STAFF, user, to=address, facts={"old": old, "new": user.email})
    return user


def _is_or_becomes_staff(user: User) -> bool:
    current = User.objects.filter(Q(is_staff=True) | Q(is_superuser=True), pk=user.pk)
    return user.is_staff or user.is_superuser or current.exists()
