"""The action that gives an account a number, corrects its digits, or moves it to another account."""

from django.db import transaction
from django.db.models import Q

from accounts.models import Account, PhoneNumber, User
from accounts.roles import NOT_YOURS, require_staff
from core.history import attributed


@transaction.atomic
def save_number(number: PhoneNumber, *, by: User) -> PhoneNumber:
    """Save a new or changed number and return it. Its account is locked, and so is the one it moves to.

    Raises PermissionDenied without the permission to add or change numbers. Raises ValidationError if it is no number,
    if another account has it, or if it moves while it is assigned to Contact Center.
    """
    require_staff(by, f"accounts.{'change' if number.pk else 'add'}_phonenumber", NOT_YOURS)
    _lock_accounts_of(number)
    number.full_clean()
    attributed(number, to=by).save()
    return number


def _lock_accounts_of(number: PhoneNumber) -> None:
    """Lock the current account of a number and the one it will move to, in the order of their primary keys."""
    current = PhoneNumber.objects.filter(pk=number.pk).values("account")
    list(Account.objects.filter(Q(pk=number.account_id) | Q(pk__in=current)).locked())
