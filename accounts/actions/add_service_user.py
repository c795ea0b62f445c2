"""The action that adds a service user to an account."""

from accounts.acting import action
from accounts.models import Account, ServiceUser, User
from accounts.roles import Capability, require
from core.history import attributed


@action
def add_service_user(account: Account, *, name: str, email: str, by: User) -> ServiceUser:
    """Add a service user to the account and return them.

    Raises ValidationError if the email address is invalid or already belongs to one of the account's service users.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission="accounts.add_serviceuser")
    person = ServiceUser(account=account, name=name.strip(), email=email.strip().lower())
    person.full_clean()
    attributed(person, to=by).save()
    return person
