"""The action that adds an account, or changes one as staff did in the back office."""

from accounts.models import Account, User
from accounts.saving import save_under_locks


def save_account(account: Account, *, by: User) -> Account:
    """Save a new or changed account and return it. The account of a changed one is locked.

    Raises PermissionDenied without the permission to add or change accounts, and ValidationError if a value is not
    valid, like a time zone that can't be chosen (R34).
    """
    return save_under_locks(account, by=by, accounts=Account.objects.filter(pk=account.pk))
