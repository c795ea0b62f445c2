"""Computes months again, to compare what was invoiced with what is owed and to find accounts that were not billed.

An account that can't be computed is a finding with its reason, and never stops the others (I28).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from billing.inputs import Tariffs, inputs_of, tariffs
from billing.models import BilledMonth, InvoiceLine, LateMonth
from billing.pricing.charges import RECURRING, Line, NotPriced
from billing.runs.chunk import CHUNK
from billing.runs.unbilled import unbilled
from core.chunks import commit_or_bisect
from core.money import money
from subscriptions.models import ContactCenter, Holding, Slot


class FindingKind(Enum):
    """The kinds of findings: an error, a difference that the next invoice carries, an account that was not billed."""

    DIFFERENCE = "difference"
    WAITING = "waiting"
    UNBILLED = "unbilled"


@dataclass(frozen=True)
class Finding:
    """What was found about an account, which is named by its key. `words` go on after the account's name."""

    kind: FindingKind
    account: int
    words: str


@dataclass
class Recheck:
    """Checks months, one after another. What doesn't depend on the month is checked only once for each account."""

    now: datetime
    days_after: int
    catalogue: Tariffs = field(default_factory=tariffs)
    seen: set[int] = field(default_factory=set)

    def month(self, month: date) -> "MonthFound":
        """Check a month, and return what was found."""
        found = MonthFound()
        for accounts in _billed(month):
            found.checked += len(accounts)
            found.findings += self._ledger_differences([account for account in accounts if account not in self.seen])
            self.seen.update(accounts)
            found.findings += self._problems(accounts, month)
        left = unbilled(month, now=self.now, days_after=self.days_after, rejected=False)
        why = {**dict.fromkeys(left.keys, "was not billed"), **left.set_aside}
        found.findings += [Finding(FindingKind.UNBILLED, account, why[account]) for account in sorted(why)]
        return found

    def _ledger_differences(self, accounts: Sequence[int]) -> Iterator[Finding]:
        """Yield a finding for each account that holds something other than the open rows of its ledger say.

        Our code never does that, so somebody must have written to the database without it.
        """
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
        """Return the findings about billed accounts. If the database fails for one, the others are still checked."""
        found: list[Finding] = []
        failed: dict[int, str] = {}

        def compared(some: Sequence[int]) -> list[Finding]:
            return list(_compared(some, month, self.catalogue))

        commit_or_bisect(accounts, compared, found.extend, failed)
        found += [
            Finding(FindingKind.DIFFERENCE, account, f"can't be computed: {why}") for account, why in failed.items()
        ]
        return found


@dataclass
class MonthFound:
    """What was found about a month, and the number of billed accounts that were checked."""

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
    """Yield a finding for each account that was invoiced something other than what it owes for the month.

    Also yield one for each recurring line of a day before the activation. Adjustments on later invoices count as
    invoiced. If only usage differs and the month is late, the next invoice carries the difference.
    """
    inputs = inputs_of(accounts, month, catalogue)
    recurring: dict[int, Decimal] = defaultdict(Decimal)
    usage: dict[int, Decimal] = defaultdict(Decimal)
    lines = InvoiceLine.objects.filter(invoice__account__in=accounts, month=month)
    for account, kind, sku, first, amount in lines.values_list("invoice__account_id", "kind", "sku", "first", "amount"):
        if kind != RECURRING:
            usage[account] += amount
            continue
        recurring[account] += amount
        activated_on = inputs[account].activated_on if account in inputs else None
        if activated_on is None or first < activated_on:
            yield Finding(FindingKind.DIFFERENCE, account, f"{sku} is charged from {first}, before the activation")
    late = set(LateMonth.objects.open().filter(account__in=accounts, month=month).values_list("account_id", flat=True))
    for account in accounts:
        try:
            owed = inputs[account].owed(month) if account in inputs else []
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
