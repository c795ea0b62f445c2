"""The action that adds an account, or changes one as staff did in the back office."""

from django.db import transaction

from accounts.models import Account, User
from accounts.roles import NOT_YOURS, require_staff
from core.history import attributed


@transaction.atomic
def save_account(account: Account, *, by: User) -> Account:
    """Save a new or changed account and return it. The account of a changed one is locked.

    Raises PermissionDenied without the permission to add or change accounts, and ValidationError if a value is not
    valid, like a time zone that can't be chosen (R34).
    """
    require_staff(by, f"accounts.{'change' if account.pk else 'add'}_account", NOT_YOURS)
    list(Account.objects.filter(pk=account.pk).locked())
    account.full_clean()
    attributed(account, to=by).save()
    return account
