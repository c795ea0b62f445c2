"""The action that bills all or some accounts for a month, in one or several processes, one run at a time (R26)."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.conf import settings
from django.core.exceptions import ValidationError

from billing.documents.freezing import issuer_on
from billing.models import BillRun
from billing.months import FIRST_ZONE
from billing.pricing.charges import month_after
from billing.runs.chunk import CHUNK, Outcome
from billing.runs.run import (
    RunSummary,
    add_outcome,
    finish,
    last_ended_month,
    one_run_at_a_time,
    outcomes_of,
    shared_out,
)
from billing.runs.unbilled import count_unbilled, unbilled
from core.chunks import cut
from core.clock import database_now


def run_bills(
    month: date | None = None,
    *,
    accounts: Sequence[int] | None = None,
    dry_run: bool = False,
    workers: int = 1,
    now: datetime | None = None,
    chunk: int = CHUNK,
    hold_unusual: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> RunSummary:
    """Bill a month, by default the last one that has ended everywhere, and return a summary.

    Accounts that were billed for the month, or in whose time zone it has not ended at `now`, are skipped, so a run that
    was killed can be repeated and bills the rest. If there is nobody to bill, nothing is written, not even a BillRun. A
    dry run writes nothing either. `progress` is called with the number of accounts done and their total. Without
    `hold_unusual`, which only replays turn off, no bill is put on hold. Raises ValidationError if the month has not
    ended anywhere, if there is somebody to bill and no issuer, or while another run is in progress.
    """
    now = now or database_now()
    month = month or last_ended_month(now)
    if month_after(month) > (now + FIRST_ZONE).date():
        raise ValidationError(
            "%(month)s has not ended anywhere yet: it can be billed from the 1st of the next month.",
            code="month_not_ended",
            params={"month": f"{month:%B %Y}"},
        )
    summary = RunSummary(month=month)
    with one_run_at_a_time(dry_run=dry_run):
        found = unbilled(month, now=now, only=accounts)
        if found.keys:
            issuer_on((now + FIRST_ZONE).date())
        if not dry_run and (found.keys or found.set_aside):
            summary.run = BillRun.objects.create(month=month, started_at=now)
        add_outcome(summary, Outcome(failed=found.set_aside), now)
        chunks = shared_out(cut(found.keys, chunk), workers)
        done, everyone = 0, len(found.keys)
        for keys, outcome in zip(
            chunks, outcomes_of(chunks, month, now, dry_run=dry_run, workers=workers, hold=hold_unusual), strict=True
        ):
            add_outcome(summary, outcome, now)
            done += len(keys)
            if progress:
                progress(done, everyone)
        if summary.run:
            finish(summary.run, summary)
    if summary.run:
        count_unbilled(now, days_after=settings.BILL_RUN_AFTER_DAYS, month=month)
    return summary
