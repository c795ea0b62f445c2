"""The verbs on a customer's own people."""

from accounts.acting import action
from accounts.models import Account, ServiceUser, User
from accounts.roles import Capability, require
from core.history import attributed


@action
def add_service_user(account: Account, *, name: str, email: str, by: User) -> ServiceUser:
    """Return a new person of the account; refused where the address is not one, or is on the list."""
    require(Capability.CHANGE_SERVICES, by, account, or_permission="accounts.add_serviceuser")
    person = ServiceUser(account=account, name=name.strip(), email=email.strip().lower())
    person.full_clean()
    attributed(person, to=by).save()
    return person
