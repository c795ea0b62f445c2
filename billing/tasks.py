"""Billing's jobs."""

from datetime import datetime

from django.conf import settings

from billing.actions import run_bills_automatically
from billing.calls.feed import look_at_feed
from billing.runs.unbilled import count_unbilled as count_the_unbilled
from core.jobs.periodic import every_hour


@every_hour(minute=41)
def bill_run(now: datetime) -> str:
    return "; ".join(
        f"{done.month:%B %Y}: {done.accounts} accounts, {done.invoices} invoices, {len(done.failed)} failed"
        for done in run_bills_automatically(now=now)
    )


@every_hour(minute=53)
def count_unbilled(now: datetime) -> str:
    counted = count_the_unbilled(now, days_after=settings.BILL_RUN_AFTER_DAYS)
    return ", ".join(f"{month:%B %Y}: {accounts} accounts not billed" for month, accounts in counted.items())


@every_hour(minute=33)
def call_feed(now: datetime) -> str:
    return " ".join(look_at_feed(now=now).warnings)
