"""The verbs that assign Contact Center to the customer's people and numbers (R5: without limit, in either mode)."""

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from simple_history.utils import bulk_update_with_history

from accounts.actions import AlreadyDone, action, database_now
from accounts.models import Account, NumberAssignment, PhoneNumber, ServiceRole, ServiceUser, User
from accounts.roles import Capability, require
from subscriptions.catalogue import contact_center_of


@action
def assign_users(account: Account, roles: Mapping[int, str], *, by: User) -> list[ServiceUser]:
    """Give people their role in Contact Center, all or none, and return those whose role changed.

    `roles` has a ServiceRole by the key of a person; "" takes Contact Center from him. Refused for people of other
    accounts and for unknown roles.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission="accounts.change_serviceuser")
    contact_center_of(account)
    people = {person.pk: person for person in ServiceUser.objects.filter(account=account, pk__in=roles)}
    reasons = [
        ValidationError("One of these people is not on your list any more.", code="unknown_user", params={"tried": key})
        for key in sorted(roles.keys() - people.keys())
    ]
    reasons += [
        ValidationError("Choose one of the roles of the list.", code="unknown_role", params={"tried": role})
        for role in sorted(set(roles.values()) - {"", *ServiceRole.values})
    ]
    if reasons:
        raise ValidationError({"roles": reasons})
    changed = [person for key, person in people.items() if person.contact_center_role != roles[key]]
    for person in changed:
        person.contact_center_role = roles[person.pk]
    bulk_update_with_history(changed, ServiceUser, ["contact_center_role"], default_user=by)
    return changed


@action
def assign_number(account: Account, number: PhoneNumber, *, by: User, now: datetime | None = None) -> NumberAssignment:
    """Let the account's Contact Center answer a number from now on, and return the assignment.

    Refused for a number of another account. A number that is assigned answers AlreadyDone.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission="accounts.change_phonenumber")
    contact_center_of(account)
    current = _current_assignment(account, number)
    if current:
        raise AlreadyDone(f"{number} is already assigned to Contact Center.", code="already_assigned")
    return NumberAssignment.objects.create(
        account=account, number=number, period=DateTimeTZRange(now or database_now(), None), assigned_by=by
    )


@action
def unassign_number(
    account: Account, number: PhoneNumber, *, by: User, now: datetime | None = None
) -> NumberAssignment:
    """End the number's assignment now, and return it. A number that is not assigned answers AlreadyDone."""
    require(Capability.CHANGE_SERVICES, by, account, or_permission="accounts.change_phonenumber")
    current = _current_assignment(account, number)
    if current is None:
        raise AlreadyDone(f"{number} is not assigned to Contact Center.", code="not_assigned")
    now = now or database_now()
    if now <= current.period.lower:
        raise ValidationError("The assignment can't end before it starts.", code="out_of_order")
    current.period = DateTimeTZRange(current.period.lower, now)
    current.ended_by = by
    current.save(update_fields=["period", "ended_by"])
    return current


def _current_assignment(account: Account, number: PhoneNumber) -> NumberAssignment | None:
    """Return the assignment in force; refused where the number is not the account's."""
    if not PhoneNumber.objects.filter(pk=number.pk, account=account).exists():
        raise ValidationError(
            "This number is not one of your account's.", code="unknown_number", params={"tried": number}
        )
    return NumberAssignment.objects.current().filter(number=number).first()
