"""The action that gives a user a role on an account, or changes it as staff did in the back office."""

from accounts.models import Account, Contact, User
from accounts.saving import save_under_locks


def save_contact(contact: Contact, *, by: User) -> Contact:
    """Save a new or changed contact (R20) and return it. Its account is locked.

    Raises PermissionDenied without the permission to add or change contacts, and ValidationError if the user has the
    role already, or is staff.
    """
    return save_under_locks(contact, by=by, accounts=Account.objects.filter(pk=contact.account_id))
