"""The action that adds or changes a user who logs in, as staff did in the back office."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.login.mail import LoginMail, queue_login_mail
from accounts.models import User
from accounts.roles import NOT_YOURS
from accounts.saving import require_saver
from accounts.staff_contacts import staff_refusal
from core.history import attributed


@transaction.atomic
def save_user(user: User, *, by: User) -> User:
    """Save a new or changed user and return them. A changed email address is reported to both addresses.

    Raises PermissionDenied without the permission to add or change users; and unless `by` is a superuser, if the user
    is staff or would become staff. Raises ValidationError if a value is not valid, or if a contact would be staff.
    """
    require_saver(user, by)
    stored = User.objects.filter(pk=user.pk).first()
    is_of_staff = any(each.is_of_staff for each in (user, stored) if each)
    if is_of_staff and not User.objects.filter(pk=by.pk, is_superuser=True).exists():
        raise PermissionDenied(NOT_YOURS)
    user.full_clean()
    if refusal := staff_refusal(user, stored):
        raise refusal
    attributed(user, to=by).save()
    if stored and stored.email != user.email:
        facts = {"old": stored.email, "new": user.email}
        for address in facts.values():
            queue_login_mail(LoginMail.ADDRESS_SET_BY_STAFF, user, to=address, facts=facts)
    return user
