"""Computes months again: what was invoiced against what is owed, and who was not billed at all.

One account that can't be computed is a finding with its reason, and never stops the others (I28).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from django.db import DatabaseError, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from billing.inputs import Tariffs, inputs_of, tariffs
from billing.models import BilledMonth, InvoiceLine, LateMonth
from billing.pricing.charges import RECURRING, Line, NotPriced
from billing.runs.chunk import CHUNK
from billing.runs.unbilled import unbilled
from core.money import money
from subscriptions.models import ContactCenter, Holding, Slot


class FindingKind(Enum):
    """What a finding is: something is wrong, something comes with the next invoice, or somebody was not billed."""

    DIFFERENCE = "difference"
    WAITING = "waiting"
    UNBILLED = "unbilled"


@dataclass(frozen=True)
class Finding:
    """What was found of an account, named by its key, in words."""

    kind: FindingKind
    account: int
    words: str


@dataclass
class Recheck:
    """Months that are computed again, one after the other. What does not depend on the month is looked at once."""

    now: datetime
    days_after: int
    catalogue: Tariffs = field(default_factory=tariffs)
    seen: set[int] = field(default_factory=set)

    def month(self, month: date) -> "MonthFound":
        """Return what is found of a month."""
        found = MonthFound()
        for accounts in _billed(month):
            found.checked += len(accounts)
            found.findings += self._parted([account for account in accounts if account not in self.seen])
            self.seen.update(accounts)
            found.findings += self._problems(accounts, month)
        left = unbilled(month, now=self.now, days_after=self.days_after, rejected=False)
        why = {**dict.fromkeys(left.keys, "was not billed"), **left.set_aside}
        found.findings += [Finding(FindingKind.UNBILLED, account, why[account]) for account in sorted(why)]
        return found

    def _parted(self, accounts: Sequence[int]) -> Iterator[Finding]:
        """Yield each account that holds something else than the open rows of its ledger say: somebody wrote past us."""
        rows = Holding.objects.open().filter(account=OuterRef("account"))
        centers = ContactCenter.objects.filter(account__in=accounts).annotate(
            in_ledger=Coalesce(Subquery(rows.filter(slot=Slot.PRODUCT).values("quantity")), 0),
            storage_in_ledger=Subquery(rows.filter(slot=Slot.STORAGE).values("item")),
            package_in_ledger=Subquery(rows.filter(slot=Slot.PACKAGE).values("item")),
        )
        for center in centers.exclude(seats=F("in_ledger")):
            words = f"holds {center.seats} seats, its ledger {center.in_ledger}"
            yield Finding(FindingKind.DIFFERENCE, center.account_id, words)
        for center in centers.exclude(storage=F("storage_in_ledger"), package=F("package_in_ledger")):
            yield Finding(FindingKind.DIFFERENCE, center.account_id, "holds another storage or package than its ledger")

    def _problems(self, accounts: Sequence[int], month: date) -> list[Finding]:
        """Return what is wrong with accounts that were billed; where the database refuses one, the others are done."""
        try:
            with transaction.atomic():
                return list(_compared(accounts, month, self.catalogue))
        except DatabaseError as error:
            if len(accounts) == 1:
                return [
                    Finding(
                        FindingKind.DIFFERENCE, accounts[0], f"can't be computed: {str(error).strip().splitlines()[0]}"
                    )
                ]
        middle = len(accounts) // 2
        return self._problems(accounts[:middle], month) + self._problems(accounts[middle:], month)


@dataclass
class MonthFound:
    """What was found of a month, and how many accounts were billed for it and checked."""

    checked: int = 0
    findings: list[Finding] = field(default_factory=list)

    def count(self, kind: FindingKind) -> int:
        return sum(finding.kind == kind for finding in self.findings)


def _billed(month: date) -> Iterator[list[int]]:
    """Yield the keys of the accounts whose month was billed, in chunks."""
    after = 0
    while True:
        keys = list(
            BilledMonth.objects.filter(month=month, account__gt=after)
            .order_by("account")
            .values_list("account_id", flat=True)[:CHUNK]
        )
        if not keys:
            return
        yield keys
        after = keys[-1]


def _compared(accounts: Sequence[int], month: date, catalogue: Tariffs) -> Iterator[Finding]:
    """Yield each account that was invoiced something else than it owes for the month, or a product before activation.

    Adjustments on later invoices count. Usage that differs while the month is late comes with the next invoice.
    """
    facts = inputs_of(accounts, month, catalogue)
    recurring: dict[int, Decimal] = defaultdict(Decimal)
    usage: dict[int, Decimal] = defaultdict(Decimal)
    lines = InvoiceLine.objects.filter(invoice__account__in=accounts, month=month)
    for account, kind, sku, first, amount in lines.values_list("invoice__account_id", "kind", "sku", "first", "amount"):
        if kind != RECURRING:
            usage[account] += amount
            continue
        recurring[account] += amount
        activated_on = facts[account].activated_on if account in facts else None
        if activated_on is None or first < activated_on:
            yield Finding(FindingKind.DIFFERENCE, account, f"{sku} is charged from {first}, before the activation")
    late = set(LateMonth.objects.open().filter(account__in=accounts, month=month).values_list("account_id", flat=True))
    for account in accounts:
        try:
            owed = facts[account].owed(month) if account in facts else []
        except NotPriced as error:
            yield Finding(FindingKind.DIFFERENCE, account, f"can't be computed: {error}")
            continue
        due, invoiced = _sum(owed), recurring[account] + usage[account]
        if due == invoiced:
            continue
        words = f"owes {money(due)}, was invoiced {money(invoiced)}"
        if account in late and _sum(line for line in owed if line.kind == RECURRING) == recurring[account]:
            yield Finding(FindingKind.WAITING, account, f"{words}; a late call waits for the next invoice")
        else:
            yield Finding(FindingKind.DIFFERENCE, account, words)


def _sum(lines: "Iterator[Line] | Sequence[Line]") -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))
