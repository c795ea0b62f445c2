"""The action that gives a user a role on an account, or changes it as staff did in the back office."""

from django.db import transaction

from accounts.models import Account, Contact, User
from accounts.roles import NOT_YOURS, require_staff
from core.history import attributed


@transaction.atomic
def save_contact(contact: Contact, *, by: User) -> Contact:
    """Save a new or changed contact (R20) and return it. Its account is locked.

    Raises PermissionDenied without the permission to add or change contacts, and ValidationError if the user has the
    role already.
    """
    require_staff(by, f"accounts.{'change' if contact.pk else 'add'}_contact", NOT_YOURS)
    list(Account.objects.filter(pk=contact.account_id).locked())
    contact.full_clean()
    attributed(contact, to=by).save()
    return contact
