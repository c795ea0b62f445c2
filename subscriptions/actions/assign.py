"""The actions that assign Contact Center to service users and phone numbers (R5: without limit, in either mode)."""

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, NumberAssignment, PhoneNumber, ServiceRole, ServiceUser, User
from accounts.roles import Capability, require, require_staff
from core.clock import database_now
from core.history import attributed
from core.refusals import AlreadyDone
from subscriptions.catalogue import contact_center_of

MAY_CHANGE_NUMBERS = "accounts.change_phonenumber"

LONGEST_REASON = 100  # of a history row


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


@action
def assign_number(account: Account, number: PhoneNumber, *, by: User, now: datetime | None = None) -> NumberAssignment:
    """Assign a number to the account's Contact Center from now on, and return the assignment.

    Raises ValidationError for a number of another account, and AlreadyDone if the number is assigned already.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission=MAY_CHANGE_NUMBERS)
    contact_center_of(account)
    current = _current_assignment(account, number)
    if current:
        raise AlreadyDone(
            gettext("%(number)s is already assigned to Contact Center.") % {"number": number}, code="already_assigned"
        )
    return NumberAssignment.objects.create(
        account=account, number=number, period=DateTimeTZRange(now or database_now(), None), assigned_by=by
    )


@action
def unassign_number(
    account: Account, number: PhoneNumber, *, by: User, now: datetime | None = None
) -> NumberAssignment:
    """End the number's assignment now, and return it.

    Raises ValidationError for a number of another account, and AlreadyDone if the number is not assigned.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission=MAY_CHANGE_NUMBERS)
    current = _current_assignment(account, number)
    if current is None:
        raise AlreadyDone(
            gettext("%(number)s is not assigned to Contact Center.") % {"number": number}, code="not_assigned"
        )
    now = now or database_now()
    if now <= current.period.lower:
        raise ValidationError(_("The assignment can't end before it starts."), code="out_of_order")
    current.period = DateTimeTZRange(current.period.lower, now)
    current.ended_by = by
    current.save(update_fields=["period", "ended_by"])
    return current


@action
def correct_assignment(
    account: Account,
    number: PhoneNumber,
    start: datetime,
    end: datetime | None,
    *,
    by: User,
    reason: str,
    now: datetime | None = None,
) -> NumberAssignment:
    """Add a missing assignment of a number that started in the past, and return it.

    Only for staff who may change numbers. `match_calls` then matches the calls of the period. Without an `end`, the
    assignment lasts until somebody ends it. The reason is stored in the number's history. Raises ValidationError for a
    number of another account, a missing reason, and a period that starts before Contact Center was installed, is not in
    the past, does not end after it starts, or overlaps another one of the number.
    """
    require_staff(by, MAY_CHANGE_NUMBERS, _("Only staff who may change numbers can correct when one was assigned."))
    center = contact_center_of(account)
    _current_assignment(account, number)
    now = now or database_now()
    if not reason.strip():
        raise ValidationError({"reason": ValidationError(_("Say why it is corrected."), code="reason_needed")})
    if start < center.installed_at:
        raise ValidationError(
            _("Contact Center was not installed then."), code="before_install", params={"tried": start}
        )
    if (end or start) > now:
        raise ValidationError(_("The period must be of the past."), code="not_past", params={"tried": end or start})
    if end is not None and end <= start:
        raise ValidationError(_("The assignment must end after it starts."), code="out_of_order", params={"tried": end})
    period = DateTimeTZRange(start, end)
    if NumberAssignment.objects.filter(number=number, period__overlap=period).exists():
        raise ValidationError(_("The number is already assigned in this period."), code="already_assigned")
    assignment = NumberAssignment.objects.create(
        account=account, number=number, period=period, assigned_by=by, ended_by=by if end else None
    )
    number = PhoneNumber.objects.get(pk=number.pk)
    vars(number)["_change_reason"] = f"Assigned from {start:%Y-%m-%d %H:%M %Z}: {reason.strip()}"[:LONGEST_REASON]
    attributed(number, to=by, at=now).save()
    return assignment


def _current_assignment(account: Account, number: PhoneNumber) -> NumberAssignment | None:
    """Return the number's current assignment, or None. Raises ValidationError if the number isn't the account's."""
    if not PhoneNumber.objects.filter(pk=number.pk, account=account).exists():
        raise ValidationError(
            _("This number is not one of your account's."), code="unknown_number", params={"tried": number}
        )
    return NumberAssignment.objects.current().filter(number=number).first()
