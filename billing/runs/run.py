"""A run over a month: what it did, how its accounts are shared out, and its record (R26)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, repeat

from django.core.exceptions import ValidationError

from billing.inputs import tariffs
from billing.models import BillRun, FailedBill
from billing.months import LAST_ZONE
from billing.runs.chunk import Outcome, bill_chunk
from billing.runs.workers import pool
from core.chunks import cut
from core.clock import database_now
from core.locks import AdvisoryLock, Busy, holding
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
        return self.run is None and not (self.accounts or self.on_hold or self.failed)


def last_ended_month(now: datetime) -> date:
    """Return the last month that has ended everywhere (R26)."""
    day = (now - LAST_ZONE).date()
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def add_outcome(summary: RunSummary, outcome: Outcome, now: datetime) -> None:
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
    return cut(keys, min(len(chunks[0]), max(LEAST_CHUNK, ceil_div(len(keys), workers * CHUNKS_EACH))))


def outcomes_of(
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
def one_run_at_a_time(*, dry_run: bool) -> Iterator[None]:
    """Hold the lock of the run, which ends with the connection; a dry run needs none."""
    if dry_run:
        yield
        return
    try:
        with holding(AdvisoryLock.BILL_RUN):
            yield
    except Busy:
        raise ValidationError("Another bill run is going on. Wait until it has ended.", code="run_going_on") from None


def finish(run: BillRun, summary: RunSummary) -> None:
    """Write in the run's row that it has ended, and what it did."""
    run.finished_at = database_now()
    run.accounts, run.invoices, run.lines, run.total = (
        summary.accounts,
        summary.invoices,
        summary.lines,
        summary.total,
    )
    run.on_hold, run.failed = len(summary.on_hold), len(summary.failed)
    run.save()
