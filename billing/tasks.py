"""What billing does by itself."""

from datetime import datetime

from accounts.jobs import every_hour
from billing.actions import run_bills_by_itself
from billing.feed import look_at_feed


@every_hour(minute=41)
def bill_run(now: datetime) -> str:
    done = run_bills_by_itself(now=now)
    if done is None:
        return ""
    return f"{done.month:%B %Y}: {done.accounts} accounts, {done.invoices} invoices, {len(done.failed)} failed"


@every_hour(minute=53)
def call_feed(now: datetime) -> str:
    return " ".join(look_at_feed(now=now).warnings)
