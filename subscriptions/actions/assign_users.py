"""The action that sets the roles of service users in Contact Center (R5: without limit, in either mode)."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, ServiceRole, ServiceUser, User
from accounts.roles import Capability, require
from core.clock import database_now
from subscriptions.catalogue import contact_center_of


@action
def assign_users(account: Account, roles: Mapping[int, str], *, by: User) -> list[ServiceUser]:
    """Set the role in Contact Center of service users, all or none, and return those whose role changed.

    `roles` has a ServiceRole for each user's key; "" removes Contact Center from the user. Raises ValidationError for
    users of other accounts and for unknown roles.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission="accounts.change_serviceuser")
    contact_center_of(account)
    people = {person.pk: person for person in ServiceUser.objects.filter(account=account, pk__in=roles)}
    reasons = [
        ValidationError(
            _("One of these people is not on your list any more."), code="unknown_user", params={"tried": key}
        )
        for key in sorted(roles.keys() - people.keys())
    ]
    reasons += [
        ValidationError(_("Choose one of the roles of the list."), code="unknown_role", params={"tried": role})
        for role in sorted(set(roles.values()) - {"", *ServiceRole.values})
    ]
    if reasons:
        raise ValidationError({"roles": reasons})
    changed = [person for key, person in people.items() if person.contact_center_role != roles[key]]
    by_role: dict[str, list[int]] = {}
    for person in changed:
        person.contact_center_role = roles[person.pk]
        by_role.setdefault(person.contact_center_role, []).append(person.pk)
    for role, keys in by_role.items():
        ServiceUser.objects.filter(pk__in=keys).update(contact_center_role=role)
    ServiceUser.history.bulk_history_create(changed, update=True, default_user=by, default_date=database_now())
    return changed
