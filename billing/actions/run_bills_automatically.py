"""The bill run that nobody starts: if the setting says so, for every month that somebody was not billed for (R42)."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError

from billing.actions.run_bills import run_bills
from billing.models import BillOnHold, FailedBill
from billing.runs.rejected import unchanged
from billing.runs.run import RunSummary
from billing.runs.unbilled import unbilled, unbilled_months

NEXT_DAY = timedelta(hours=20)  # less than a day, or each day's run would be a little later than the last


def run_bills_automatically(*, now: datetime) -> list[RunSummary]:
    """Bill each month that ended BILL_RUN_AFTER_DAYS ago and that some account was not billed for, the oldest first.

    Return what was done, month by month; nothing where there was nothing to do. It looks at what is billed, so it can
    be called at any time and as often as one likes: what an outage or a killed run left is done by the next call.
    Accounts that could not be billed are tried again a day later, and bills that were rejected once they would be
    other ones. Like every run it is recorded with no name, since nobody decides in it.
    """
    done: list[RunSummary] = []
    if not settings.BILL_RUN_BY_ITSELF:
        return done
    for month in _months(now):
        accounts = _due(month, now)
        if not accounts:
            continue
        try:
            summary = run_bills(month, accounts=accounts, now=now)
        except ValidationError as refusal:
            if refusal.code != "run_going_on":
                raise
            break
        if summary.run:
            done.append(summary)
    return done


def _months(now: datetime) -> list[date]:
    """Return the months that may have somebody to bill, the oldest first."""
    rejected = BillOnHold.objects.rejected_and_unbilled().order_by().values_list("month", flat=True).distinct()
    return sorted({*unbilled_months(now, days_after=settings.BILL_RUN_AFTER_DAYS), *rejected})


def _due(month: date, now: datetime) -> list[int]:
    """Return the accounts that are to be billed for a month now, those that can't be included."""
    found = unbilled(month, now=now, days_after=settings.BILL_RUN_AFTER_DAYS)
    # Looked at after that: a bill that is rejected in between was held, and so is not among those found.
    waiting = unchanged(month)
    failed = FailedBill.objects.filter(run__month=month, at__gt=now - NEXT_DAY).values_list("account_id", flat=True)
    return sorted({*found.keys, *found.set_aside} - waiting - set(failed))
