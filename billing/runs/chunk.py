"""Bills a chunk of accounts in one transaction (R26).

A few queries read the inputs, pure functions price them, and COPY writes the bills.

Lock order: accounts by key, then a new presentation of documents, then the counter of invoice numbers. Each chunk is
committed with everything it did, so a run that was killed at any point can be run again and does the rest. Two runs at
once would wait for each other's accounts, and find them billed.
"""

import gc
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

from django.db import connection

from billing.deliveries.enqueue import enqueue_invoices
from billing.documents.freezing import Issue, freeze_invoices, issue_at
from billing.documents.presentation import presentation_today
from billing.inputs import BillingInputs, Tariffs, inputs_of
from billing.models import BillOnHold
from billing.months import UnknownZone, month_end
from billing.pricing.charges import NotPriced
from billing.runs.review import HoldChecks
from billing.runs.writing import Bill, settle_late_months, write_invoices, write_lines
from core.chunks import commit_or_bisect

CHUNK = 5_000
BIGGEST = 10


@dataclass
class Outcome:
    """The result of billing a chunk, without the bills themselves, because worker processes send it back.

    `accounts` is the number of accounts billed. `biggest` has the largest bills as (total, account) pairs, the largest
    first. `on_hold` and `failed` have reasons by account: for bills put on hold, and for accounts that were set aside.
    """

    accounts: int = 0
    invoices: int = 0
    lines: int = 0
    total: Decimal = Decimal("0.00")
    biggest: list[tuple[Decimal, int]] = field(default_factory=list)
    on_hold: dict[int, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Outcome") -> None:
        self.accounts += other.accounts
        self.invoices += other.invoices
        self.lines += other.lines
        self.total += other.total
        self.biggest = heapq.nlargest(BIGGEST, self.biggest + other.biggest)
        self.on_hold.update(other.on_hold)
        self.failed.update(other.failed)


def checkpoint(name: str) -> None:
    """Do nothing. Tests replace this to kill the process at the named point."""


def bill_chunk(
    keys: Sequence[int],
    *,
    month: date,
    now: datetime,
    catalogue: Tariffs,
    dry_run: bool = False,
    hold_outliers: bool = True,
) -> Outcome:
    """Bill the accounts with these keys for a month, in one transaction, and return the result.

    Accounts whose month has not ended at `now` are skipped; so are those that were billed or have the bill on hold,
    except in a dry run, which locks and writes nothing. An account that can't be priced or written is set aside with
    its reason, and the others are billed (I17). Without `hold_outliers`, no bill is put on hold.
    """
    outcome = Outcome()

    def write(some: Sequence[int]) -> Outcome:
        return _bill(some, month, now, catalogue, dry_run=dry_run, hold_outliers=hold_outliers)

    with _garbage_collector_off():
        commit_or_bisect(keys, write, outcome.add, outcome.failed)
    return outcome


@contextmanager
def _garbage_collector_off() -> Iterator[None]:
    """Turn the garbage collector off: a chunk makes a hundred thousand values, and no cycles for it to find."""
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
    """Price the accounts and send each bill's lines immediately: the server writes them while the next are priced."""
    if not dry_run:
        keys = _locked_and_unbilled(keys, month)
        checkpoint("after lock")
    inputs = inputs_of(keys, month, catalogue)
    checks = HoldChecks(list(inputs), month, catalogue) if hold_outliers else None
    issue = issue_at(now, {each.zone for each in inputs.values()})
    chunk = _Chunk(month, now, inputs, checks, issue, dry_run=dry_run)
    settled = chunk.send(chunk.price(), len(inputs))
    if approved := chunk.review():
        settled = sorted(settled + chunk.send(approved, len(approved)), key=attrgetter("account"))
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
    issue: Issue
    dry_run: bool
    outcome: Outcome = field(default_factory=Outcome)
    to_review: list[Bill] = field(default_factory=list)

    def price(self) -> Iterator[Bill]:
        """Yield each account's bill, even one without lines; bills that may have to be put on hold go to `to_review`.

        To decide about those takes queries, and while bills are sent, COPY uses the connection.
        """
        for account, inputs in self.inputs.items():
            try:
                if month_end(self.month, inputs.zone) > self.now:
                    continue
                bill = Bill(account, inputs.to_invoice(self.month))
            except (NotPriced, UnknownZone) as error:
                self.outcome.failed[account] = str(error)
                continue
            if bill.lines and (refusal := self.issue.issuer_refusal(inputs.zone)):
                self.outcome.failed[account] = " ".join(refusal.messages)
                continue
            if self.checks and self.checks.needs_review(bill, inputs):
                self.to_review.append(bill)
            else:
                yield bill

    def send(self, bills: Iterable[Bill], at_most: int) -> list[Bill]:
        """Write the lines of up to `at_most` bills, and return the bills. A dry run writes nothing."""
        return list(bills) if self.dry_run else write_lines(bills, at_most=at_most)

    def review(self) -> list[Bill]:
        """Put each bill of `to_review` on hold if there is a reason, and return the others."""
        approved = []
        for bill in self.to_review:
            why = self.checks.reason(bill, self.inputs[bill.account]) if self.checks else ""
            if not why:
                approved.append(bill)
                continue
            self.outcome.on_hold[bill.account] = why
            if not self.dry_run:
                BillOnHold.objects.create(
                    account_id=bill.account, month=self.month, total=bill.total, why=why, held_at=self.now
                )
        return approved

    def write(self, settled: Sequence[Bill]) -> None:
        """Write invoices and documents of the bills with lines, which were sent, and record all bills' months."""
        checkpoint("after lines")
        bills = [bill for bill in settled if bill.lines]
        presentation = presentation_today() if bills else None
        numbers = write_invoices(bills, settled, month=self.month, now=self.now)
        if presentation:
            freeze_invoices(numbers, self.issue, presentation)
            enqueue_invoices(numbers, now=self.now)
        late = [bill.account for bill in settled if self.inputs[bill.account].late_months]
        settle_late_months(late, self.month, now=self.now)
        checkpoint("before commit")

    def sum_up(self, settled: Sequence[Bill]) -> Outcome:
        """Return the result of the chunk."""
        bills = [bill for bill in settled if bill.lines]
        self.outcome.accounts, self.outcome.invoices = len(settled), len(bills)
        self.outcome.lines = sum([len(bill.lines) for bill in bills])
        self.outcome.total = sum([bill.total for bill in bills], Decimal("0.00"))
        self.outcome.biggest = heapq.nlargest(BIGGEST, ((bill.total, bill.account) for bill in bills))
        return self.outcome


def _locked_and_unbilled(keys: Sequence[int], month: date) -> list[int]:
    """Lock the accounts in order of their keys, and return those whose month is then neither billed nor on hold."""
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
        skipped = {account for (account,) in cursor.fetchall()}
    return [key for key in keys if key not in skipped]
