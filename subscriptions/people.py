"""What the preview and the import of people share."""

from collections.abc import Collection

from accounts.models import Account, ServiceUser, User
from accounts.roles import Capability, require
from subscriptions.catalogue import contact_center_of


def require_people(account: Account, by: User) -> None:
    """Raise PermissionDenied unless the user may add service users, and ValidationError without Contact Center."""
    require(Capability.CHANGE_SERVICES, by, account, or_permission="accounts.add_serviceuser")
    contact_center_of(account)


def on_the_list(account: Account, emails: Collection[str]) -> set[str]:
    """Return those of the email addresses that are on the account's list. One query."""
    found = ServiceUser.objects.filter(account=account, email__in=emails)
    return set(found.values_list("email", flat=True))
