"""The verb that bills a month: all accounts or some, by one process or several, one run at a time (R26)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, repeat

from django.conf import settings
from django.core.exceptions import ValidationError

from billing.inputs import tariffs
from billing.models import BillRun, FailedBill
from billing.months import FIRST_ZONE, LAST_ZONE
from billing.pricing.charges import month_after
from billing.runs.chunk import CHUNK, Outcome, bill_chunk
from billing.runs.unbilled import count_unbilled, unbilled
from billing.runs.workers import pool
from core.clock import database_now
from core.locks import AdvisoryLock, Busy, held
from core.numbers import ceil_div

CHUNKS_EACH = 4  # of each worker, where there are several, or more
LEAST_CHUNK = 500  # accounts; below, a chunk's own queries cost more than the waiting


@dataclass(kw_only=True)
class RunSummary(Outcome):
    """What a run did; a dry run, what it would do. Without a `run` it did nothing: there was nothing to bill."""

    month: date
    run: BillRun | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there was no account to bill, none to hold and none that failed."""
        return self.run is None and not (self.accounts or self.held or self.failed)


def last_ended_month(now: datetime) -> date:
    """Return the last month that has ended everywhere (R26)."""
    day = (now - LAST_ZONE).date()
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


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
    """Bill a month, by default the last that has ended everywhere, and return what was done.

    Accounts whose month was billed, or where it has not ended at `now`, are passed over: a run that was killed is run
    again and does the rest. Where nobody is left to bill, nothing is written, not even a run. A dry run writes nothing
    either. `progress` is called with the accounts done and all. Without `hold_unusual`, which only replays turn off, no
    bill waits for a person. Refused for a month that has ended nowhere, and while another run goes on.
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
    with _one_run_at_a_time(dry_run=dry_run):
        found = unbilled(month, now=now, only=accounts)
        if not dry_run and (found.keys or found.set_aside):
            summary.run = BillRun.objects.create(month=month, started_at=now)
        _add(summary, Outcome(failed=found.set_aside), now)
        chunks = shared_out(_chunks(found.keys, chunk), workers)
        done, everyone = 0, len(found.keys)
        for keys, outcome in zip(
            chunks, _outcomes(chunks, month, now, dry_run=dry_run, workers=workers, hold=hold_unusual), strict=True
        ):
            _add(summary, outcome, now)
            done += len(keys)
            if progress:
                progress(done, everyone)
        if summary.run:
            _finish(summary.run, summary)
    if summary.run:
        count_unbilled(now, days_after=settings.BILL_RUN_AFTER_DAYS, month=month)
    return summary


def _chunks(keys: list[int], size: int) -> list[list[int]]:
    return [keys[first : first + size] for first in range(0, len(keys), size)]


def _add(summary: RunSummary, outcome: Outcome, now: datetime) -> None:
    """Add an outcome to the summary, and record the accounts that failed."""
    summary.add(outcome)
    if summary.run:
        FailedBill.objects.bulk_create(
            FailedBill(run=summary.run, account_id=account, reason=reason, at=now)
            for account, reason in outcome.failed.items()
        )


def shared_out(chunks: list[list[int]], workers: int) -> list[list[int]]:
    """Return the chunks, cut smaller where several workers would get fewer than CHUNKS_EACH of them.

    A chunk holds the counter of invoice numbers until it is committed: of a few large ones that are ready at once, each
    waits for those before it, and nobody prices meanwhile.
    """
    if workers == 1 or not chunks:
        return chunks
    keys = list(chain.from_iterable(chunks))
    return _chunks(keys, min(len(chunks[0]), max(LEAST_CHUNK, ceil_div(len(keys), workers * CHUNKS_EACH))))


def _outcomes(
    chunks: list[list[int]], month: date, now: datetime, *, dry_run: bool, workers: int, hold: bool
) -> Iterator[Outcome]:
    """Yield the outcome of each chunk in turn, worked on by this process or by `workers` others."""
    if workers == 1 or len(chunks) < 2:
        catalogue = tariffs()
        for keys in chunks:
            yield bill_chunk(keys, month=month, now=now, catalogue=catalogue, dry_run=dry_run, hold_outliers=hold)
        return
    with pool(min(workers, len(chunks))) as others:
        yield from others.map(
            _work, zip(chunks, repeat(month), repeat(now), repeat(dry_run), repeat(hold), strict=False)
        )


def _work(task: tuple[list[int], date, datetime, bool, bool]) -> Outcome:
    keys, month, now, dry_run, hold = task
    return bill_chunk(keys, month=month, now=now, catalogue=tariffs(), dry_run=dry_run, hold_outliers=hold)


@contextmanager
def _one_run_at_a_time(*, dry_run: bool) -> Iterator[None]:
    """Hold the lock of the run, which ends with the connection; a dry run needs none."""
    if dry_run:
        yield
        return
    try:
        with held(AdvisoryLock.BILL_RUN):
            yield
    except Busy:
        raise ValidationError("Another bill run is going on. Wait until it has ended.", code="run_going_on") from None


def _finish(run: BillRun, summary: RunSummary) -> None:
    run.finished_at = database_now()
    run.accounts, run.invoices, run.lines, run.total = (
        summary.accounts,
        summary.invoices,
        summary.lines,
        summary.total,
    )
    run.held, run.failed = len(summary.held), len(summary.failed)
    run.save()
