"""What the pages show of money: estimates and what-ifs, by the same function as the bills (house.md, 11)."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from accounts.models import Account
from billing.charges import RECURRING, Held, Line, NotPriced, month_after, owed
from billing.facts import AccountFacts, Tariffs, facts_of, tariffs
from subscriptions.actions.write import rewrite_ledger
from subscriptions.models import ContactCenter, Holding
from subscriptions.rules import Catalogue, Difference

NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class Estimate:
    """What a month comes to as things stand: if nothing changes until its end, and with the minutes used so far."""

    month: date
    lines: Sequence[Line]
    minutes: int

    @property
    def total(self) -> Decimal:
        return total(self.lines)


def total(lines: Iterable[Line]) -> Decimal:
    """Return the sum of the lines' amounts, USD."""
    return sum((line.amount for line in lines), NOTHING)


def estimate(account: Account, now: datetime) -> Estimate:
    """Return the estimate of the account's running month."""
    month = account.day_of(now).replace(day=1)
    facts = facts_of([account.pk], month, tariffs()).get(account.pk)
    if facts is None:
        return Estimate(month, [], 0)
    # Where calls came late, the facts have minutes of earlier months too.
    minutes = sum(count for day, count in facts.minutes.items() if day >= month)
    return Estimate(month, facts.owed(month), minutes)


def kept_free(account: Account, now: datetime) -> Decimal:
    """Return what onboarding has kept free so far: the recurring charges of its days until today, USD (R18)."""
    today = account.day_of(now)
    start = account.day_of(account.onboarding.started_at)
    facts = facts_of([account.pk], today.replace(day=1), tariffs(), since=start.replace(day=1)).get(account.pk)
    if facts is None:
        return NOTHING
    end = facts.activated_on or date.fromordinal(today.toordinal() + 1)
    free = [held._replace(end=min(held.end or end, end)) for held in facts.held if held.start < end]
    kept, month = NOTHING, start.replace(day=1)
    while month <= today:
        kept += total(owed(month, free, {}, start))
        month = month_after(month)
    return kept


@dataclass(frozen=True)
class BillNow:
    """The bill of a month as it would be issued now, or the reason for which it can't be told."""

    lines: Sequence[Line]
    reason: str = ""

    @property
    def total(self) -> Decimal:
        return total(self.lines)


def bill_now(account: Account, month: date) -> BillNow:
    """Return the account's bill of a month that ended, as a run or a release would issue it now."""
    facts = facts_of([account.pk], month, tariffs()).get(account.pk)
    try:
        return BillNow(facts.to_invoice(month) if facts else [])
    except NotPriced as error:
        return BillNow([], str(error))


@dataclass(frozen=True)
class FirstBill:
    """What begins with an activation: the charge of a whole month, and the bill of the month it falls into."""

    monthly: Decimal
    lines: Sequence[Line]

    @property
    def total(self) -> Decimal:
        return total(self.lines)


@dataclass(frozen=True)
class FirstBills:
    """What begins with the activation of several accounts, by their keys, and together; nothing for too many."""

    of: Mapping[int, FirstBill]
    too_many: bool = False

    @property
    def monthly(self) -> Decimal:
        return sum((bill.monthly for bill in self.of.values()), NOTHING)

    @property
    def total(self) -> Decimal:
        return sum((bill.total for bill in self.of.values()), NOTHING)


def first_bills(accounts: Sequence[Account], on: dict[int, date]) -> dict[int, FirstBill]:
    """Return what would begin for each account, by its key, if it were activated on its day in `on` (R17, R22).

    The queries do not depend on how many accounts there are; the days may be of different months. An account that
    can't be priced is left out: it can be activated all the same, and a run would set its bill aside.
    """
    catalogue = tariffs()
    months = {day.replace(day=1) for day in on.values()}
    bills: dict[int, FirstBill] = {}
    for month in sorted(months):
        keys = sorted(account.pk for account in accounts if on[account.pk].replace(day=1) == month)
        for key, facts in facts_of(keys, month, catalogue).items():
            with suppress(NotPriced):
                bills[key] = FirstBill(monthly(facts, month), owed(month, facts.held, facts.minutes, on[key]))
    return bills


def first_bills_from(starts: Mapping[tuple[int, date], Account]) -> dict[tuple[int, date], FirstBill]:
    """Return what would begin for accounts on days, by key and day; one account may come with several days."""
    bills: dict[tuple[int, date], FirstBill] = {}
    left = dict(starts)
    while left:
        on = dict(left.keys())  # of each account the last of its days that are left
        accounts = {key: account for (key, _), account in left.items()}
        found = first_bills(list(accounts.values()), on)
        bills |= {(key, on[key]): bill for key, bill in found.items()}
        left = {(key, day): account for (key, day), account in left.items() if day != on[key]}
    return bills


def monthly(facts: AccountFacts, month: date) -> Decimal:
    """Return the recurring charges of the whole month after `month`, if nothing changes: an active account's."""
    return _monthly([held for held in facts.held if held.end is None], month)


def _monthly(held: Iterable[Held], month: date) -> Decimal:
    following = month_after(month)
    return total(owed(following, held, {}, following))


@dataclass(frozen=True)
class Cost:
    """A line of a purchase with what it costs this month, and for each whole month; in onboarding, once live."""

    difference: Difference
    this_month: Decimal
    per_month: Decimal


@dataclass(frozen=True)
class PurchaseCost:
    """What a purchase costs, line by line and as a whole."""

    lines: Sequence[Cost]

    @property
    def this_month(self) -> Decimal:
        return sum((line.this_month for line in self.lines), NOTHING)

    @property
    def per_month(self) -> Decimal:
        return sum((line.per_month for line in self.lines), NOTHING)


def purchase_cost(
    center: ContactCenter, changes: Sequence[Difference], *, catalogue: Catalogue, now: datetime
) -> PurchaseCost:
    """Return what each line of a purchase adds to the recurring charges, the lines made one after the other (R15).

    The ledger is read once for each line: a purchase has few.
    """
    prices = tariffs()
    month = center.account.day_of(now).replace(day=1)
    activated_on = center.account.onboarding.activated_on
    costs: list[Cost] = []
    rows = list(Holding.objects.valid().filter(account=center.account_id, period__overlap=(month, None)))
    before = _charges([_held(row, prices) for row in rows], month, activated_on)
    for change in changes:
        outcome = rewrite_ledger(center, change.step, catalogue=catalogue, now=now).values()
        gone = {key for place in outcome for key in place.superseded}
        held = [_held(row, prices) for row in rows if row.pk not in gone]
        held += [
            Held(prices[row.held.item], row.held.quantity, row.start, row.end)
            for place in outcome
            for row in place.written
        ]
        after = _charges(held, month, activated_on)
        costs.append(Cost(change, after[0] - before[0], after[1] - before[1]))
        before = after
    return PurchaseCost(costs)


def _charges(held: Sequence[Held], month: date, activated_on: date | None) -> tuple[Decimal, Decimal]:
    """Return the recurring charges of the month, and of a whole month after it."""
    this_month = [line for line in owed(month, held, {}, activated_on) if line.kind == RECURRING]
    following = month_after(month)
    reaching = [row for row in held if row.end is None or row.end > following]
    return total(this_month), _monthly(reaching, month)


def _held(row: Holding, prices: Tariffs) -> Held:
    return Held(prices[row.item_id], row.quantity, row.period.lower, row.period.upper)
