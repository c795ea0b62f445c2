"""The action that takes a role on an account from a user."""

from django.db import transaction

from accounts.models import Account, Contact, User
from accounts.roles import NOT_YOURS, require_staff
from core.history import attributed


@transaction.atomic
def remove_contact(contact: Contact, *, by: User) -> None:
    """Remove the contact (R20). Its account is locked.

    Raises PermissionDenied without the permission to delete contacts.
    """
    require_staff(by, "accounts.delete_contact", NOT_YOURS)
    list(Account.objects.filter(pk=contact.account_id).locked())
    attributed(contact, to=by).delete()
