"""The action that adds or changes an account's service user as staff did in the back office."""

from django.db import transaction

from accounts.models import Account, ServiceUser, User
from accounts.roles import NOT_YOURS, require_staff
from core.history import attributed


@transaction.atomic
def save_service_user(person: ServiceUser, *, by: User) -> ServiceUser:
    """Save a new or changed service user and return them. The account is locked.

    Raises PermissionDenied without the permission to add or change service users. Raises ValidationError if a value is
    not valid, or if the email address already belongs to one of the account's service users.
    """
    require_staff(by, f"accounts.{'change' if person.pk else 'add'}_serviceuser", NOT_YOURS)
    list(Account.objects.filter(pk=person.account_id).locked())
    person.full_clean()
    attributed(person, to=by).save()
    return person
