"""The action that bills automatically, if the setting says so, every month with accounts not yet billed (R42)."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError

from billing.actions.run_bills import run_bills
from billing.models import BillOnHold, FailedBill
from billing.runs.rejected import unchanged
from billing.runs.run import RunSummary
from billing.runs.unbilled import unbilled, unbilled_months

NEXT_DAY = timedelta(hours=20)  # less than a day: otherwise each day's run would be a little later than the last


def run_bills_automatically(*, now: datetime) -> list[RunSummary]:
    """Bill each month that ended at least BILL_RUN_AFTER_DAYS ago and has unbilled accounts, the oldest first.

    Returns the summary of each run, or an empty list if there was nothing to do. It decides from what has been billed,
    so it can be called at any time and any number of times: the next call completes what an outage or a killed run left
    undone. Accounts that could not be billed are tried again a day later, and rejected bills once they would be
    different. Like every run, it is recorded without a user, since no person decides in it.
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
    """Return the months that may have accounts to bill, the oldest first."""
    rejected = BillOnHold.objects.rejected_and_unbilled().order_by().values_list("month", flat=True).distinct()
    return sorted({*unbilled_months(now, days_after=settings.BILL_RUN_AFTER_DAYS), *rejected})


def _due(month: date, now: datetime) -> list[int]:
    """Return the primary keys of the accounts to bill for a month now, including those that can't be billed."""
    found = unbilled(month, now=now, days_after=settings.BILL_RUN_AFTER_DAYS)
    # This query must come second: a bill that is rejected between the two was on hold before, so it was not found.
    waiting = unchanged(month)
    failed = FailedBill.objects.filter(run__month=month, at__gt=now - NEXT_DAY).values_list("account_id", flat=True)
    return sorted({*found.keys, *found.set_aside} - waiting - set(failed))
