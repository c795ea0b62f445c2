"""The action that corrects an account's time zone (billing policy 15)."""

from datetime import datetime

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import require_staff
from billing.models import BilledMonth
from billing.timezones import PERMISSION, timezone_refusal
from core.clock import database_now
from core.history import attributed
from core.refusals import AlreadyDone

LONGEST_REASON = 100  # the length of a history row's change reason


@action
def correct_timezone(account: Account, *, timezone: str, reason: str, by: User) -> Account:
    """Change the time zone of an account with Contact Center, and return the account.

    Days that were determined before don't change, like those of purchases, calls and the activation. From now on, days
    and months are those of the new zone.

    Raises PermissionDenied unless the user is an administrator, and AlreadyDone if the account is in this zone already.
    Raises ValidationError if an invoice was issued, if the reason is empty, if the zone can't be chosen, or if a month
    that was billed has not ended yet in the new zone.
    """
    require_staff(by, PERMISSION, "Only an administrator can correct an account's time zone.")
    if account.timezone == timezone:
        raise AlreadyDone(f"The account is in the time zone {timezone} already.", code="same_timezone")
    if refusal := timezone_refusal(account):
        raise refusal
    if not reason.strip():
        raise ValidationError({"reason": ValidationError("Enter a reason.", code="reason_missing")})
    now = database_now()
    account.timezone = timezone
    account.full_clean()
    if refusal := _billed_month_refusal(account, now):
        raise refusal
    vars(account)["_change_reason"] = f"Time zone corrected: {reason.strip()}"[:LONGEST_REASON]
    attributed(account, to=by, at=now).save()
    return account


def _billed_month_refusal(account: Account, now: datetime) -> ValidationError | None:
    """Return the refusal if a billed month has not ended yet in the account's new zone, otherwise None. One query.

    The month had ended in the previous zone, so anything bought in the rest of it would never be charged.
    """
    this_month = account.day_of(now).replace(day=1)
    billed = BilledMonth.objects.filter(account=account, month__gte=this_month).order_by("month").last()
    if billed is None:
        return None
    reason = ValidationError(
        "%(month)s was billed already, and it has not ended in %(zone)s. Correct the time zone once it has.",
        code="month_not_ended",
        params={"month": f"{billed.month:%B %Y}", "zone": account.timezone},
    )
    return ValidationError({"timezone": reason})
