"""The bill run: chunks of accounts, each one transaction; facts by a few queries, pure pricing, COPY out (R26).

Lock order: accounts by key, then the counter of invoice numbers. What a chunk did is committed with it, so a run killed
at any point is run again and does the rest; two runs at once wait for each other's accounts and find them billed.
"""

import gc
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.inputs import BillingInputs, Tariffs, inputs_of
from billing.models import BillOnHold
from billing.months import UnknownZone, month_end
from billing.pricing.charges import NotPriced
from billing.runs.review import HoldChecks
from billing.runs.writing import Bill, settle_late_months, write_invoices, write_lines
from core.guards import sentence_of

CHUNK = 5_000
BIGGEST = 10


@dataclass
class Outcome:
    """What became of a chunk of accounts, without the bills themselves: other processes send it back.

    `accounts` are those billed, `biggest` are (total, account) pairs, the largest first.
    """

    accounts: int = 0
    invoices: int = 0
    lines: int = 0
    total: Decimal = Decimal("0.00")
    biggest: list[tuple[Decimal, int]] = field(default_factory=list)
    held: dict[int, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Outcome") -> None:
        self.accounts += other.accounts
        self.invoices += other.invoices
        self.lines += other.lines
        self.total += other.total
        self.biggest = heapq.nlargest(BIGGEST, self.biggest + other.biggest)
        self.held.update(other.held)
        self.failed.update(other.failed)


def checkpoint(name: str) -> None:
    """Do nothing. Tests put something here that kills the process at the named point."""


def bill_chunk(
    keys: Sequence[int],
    *,
    month: date,
    now: datetime,
    catalogue: Tariffs,
    dry_run: bool = False,
    hold_outliers: bool = True,
) -> Outcome:
    """Bill the accounts for a month in one transaction, and return what became of them.

    What was billed or held already, and where the month has not ended at `now`, is passed over. An account that can't
    be priced or written is set aside with its reason and the others go on (I17). A dry run writes and locks nothing.
    """
    try:
        with _no_collection(), transaction.atomic():
            return _bill(keys, month, now, catalogue, dry_run=dry_run, hold_outliers=hold_outliers)
    except DatabaseError as error:
        if len(keys) == 1:
            sentence = sentence_of(error) if isinstance(error, IntegrityError) else None
            return Outcome(failed={keys[0]: str(sentence.text) if sentence else str(error).strip().splitlines()[0]})
    outcome = Outcome()
    middle = len(keys) // 2
    for half in (keys[:middle], keys[middle:]):
        outcome.add(
            bill_chunk(half, month=month, now=now, catalogue=catalogue, dry_run=dry_run, hold_outliers=hold_outliers)
        )
    return outcome


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let the garbage collector rest: a chunk makes a hundred thousand values, and no cycles for it to find."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _bill(
    keys: Sequence[int], month: date, now: datetime, catalogue: Tariffs, *, dry_run: bool, hold_outliers: bool
) -> Outcome:
    """Price the accounts and send each bill's lines at once: the server writes them while the next bills are priced."""
    if not dry_run:
        keys = _locked_and_unbilled(keys, month)
        checkpoint("after lock")
    inputs = inputs_of(keys, month, catalogue)
    checks = HoldChecks(list(inputs), month, catalogue) if hold_outliers else None
    chunk = _Chunk(month, now, inputs, checks, dry_run=dry_run)
    settled = chunk.send(chunk.price(), len(inputs))
    if in_line := chunk.review():
        settled = sorted(settled + chunk.send(in_line, len(in_line)), key=attrgetter("account"))
    if not dry_run:
        chunk.write(settled)
    return chunk.sum_up(settled)


@dataclass
class _Chunk:
    """A chunk that is being billed, step by step: price, send, review, write, sum up."""

    month: date
    now: datetime
    inputs: Mapping[int, BillingInputs]
    checks: HoldChecks | None
    dry_run: bool
    outcome: Outcome = field(default_factory=Outcome)
    doubtful: list[Bill] = field(default_factory=list)

    def price(self) -> Iterator[Bill]:
        """Yield the bill of each account that has one; those that may have to wait for a person are kept for later.

        Whether one must takes queries, and while bills are sent the connection is the COPY's.
        """
        for account, facts in self.inputs.items():
            try:
                if month_end(self.month, facts.zone) > self.now:
                    continue
                bill = Bill(account, facts.to_invoice(self.month))
            except (NotPriced, UnknownZone) as error:
                self.outcome.failed[account] = str(error)
                continue
            if self.checks and self.checks.needs_review(bill, facts):
                self.doubtful.append(bill)
            else:
                yield bill

    def send(self, bills: Iterable[Bill], at_most: int) -> list[Bill]:
        """Write the lines of the bills, `at_most` so many, and return the bills. A dry run writes none."""
        return list(bills) if self.dry_run else write_lines(bills, at_most=at_most)

    def review(self) -> list[Bill]:
        """Put on hold each doubtful bill for which there is a reason, and return the others."""
        in_line = []
        for bill in self.doubtful:
            why = self.checks.reason(bill, self.inputs[bill.account]) if self.checks else ""
            if not why:
                in_line.append(bill)
                continue
            self.outcome.held[bill.account] = why
            if not self.dry_run:
                BillOnHold.objects.create(
                    account_id=bill.account, month=self.month, total=bill.total, why=why, held_at=self.now
                )
        return in_line

    def write(self, settled: Sequence[Bill]) -> None:
        """Write the invoices of bills whose lines are there, and that the months of all of them are billed."""
        checkpoint("after lines")
        write_invoices([bill for bill in settled if bill.lines], settled, month=self.month, now=self.now)
        late = [bill.account for bill in settled if self.inputs[bill.account].late_months]
        settle_late_months(late, self.month, now=self.now)
        checkpoint("before commit")

    def sum_up(self, settled: Sequence[Bill]) -> Outcome:
        """Return what became of the chunk."""
        bills = [bill for bill in settled if bill.lines]
        self.outcome.accounts, self.outcome.invoices = len(settled), len(bills)
        self.outcome.lines = sum([len(bill.lines) for bill in bills])
        self.outcome.total = sum([bill.total for bill in bills], Decimal("0.00"))
        self.outcome.biggest = heapq.nlargest(BIGGEST, ((bill.total, bill.account) for bill in bills))
        return self.outcome


def _locked_and_unbilled(keys: Sequence[int], month: date) -> list[int]:
    """Lock the accounts in the order of their keys, and return those whose month is neither billed nor held then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(keys)])
        cursor.execute(
            """
            SELECT account_id FROM billing_billedmonth
            WHERE account_id BETWEEN %(lo)s AND %(hi)s AND month = %(month)s
            UNION ALL SELECT account_id FROM billing_heldbill
            WHERE account_id BETWEEN %(lo)s AND %(hi)s AND month = %(month)s AND state = 'held'
            """,
            {"lo": min(keys), "hi": max(keys), "month": month},
        )
        passed_over = {account for (account,) in cursor.fetchall()}
    return [key for key in keys if key not in passed_over]
