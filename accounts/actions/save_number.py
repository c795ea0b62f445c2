"""The action that gives an account a number, corrects its digits, or moves it to another account."""

from django.db.models import Q

from accounts.models import Account, PhoneNumber, User
from accounts.models.account import AccountQuerySet
from accounts.saving import save_under_locks


def save_number(number: PhoneNumber, *, by: User) -> PhoneNumber:
    """Save a new or changed number and return it. Its account is locked, and so is the one it moves to.

    Raises PermissionDenied without the permission to add or change numbers. Raises ValidationError if it is no number,
    if another account has it, or if it moves while it is assigned to Contact Center.
    """
    return save_under_locks(number, by=by, accounts=_accounts_of(number))


def _accounts_of(number: PhoneNumber) -> AccountQuerySet:
    """Return the current account of a number and the one it will move to."""
    current = PhoneNumber.objects.filter(pk=number.pk).values("account")
    return Account.objects.filter(Q(pk=number.account_id) | Q(pk__in=current))
