"""The action that adds or changes an account's service user as staff did in the back office."""

from accounts.models import Account, ServiceUser, User
from accounts.saving import save_under_locks


def save_service_user(person: ServiceUser, *, by: User) -> ServiceUser:
    """Save a new or changed service user and return them. The account is locked.

    Raises PermissionDenied without the permission to add or change service users. Raises ValidationError if a value is
    not valid, or if the email address already belongs to one of the account's service users.
    """
    return save_under_locks(person, by=by, accounts=Account.objects.filter(pk=person.account_id))
