"""The action that adds a missing assignment of the past."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, NumberAssignment, PhoneNumber, User
from accounts.roles import require_staff
from core.clock import database_now
from core.history import attributed
from subscriptions.catalogue import contact_center_of
from subscriptions.numbers import MAY_CHANGE_NUMBERS, current_assignment

LONGEST_REASON = 100  # the length of a history row's change reason


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
    current_assignment(account, number)
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
