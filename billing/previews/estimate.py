"""What the pages show of money: estimates and what-ifs, by the same function as the bills (docs/billing.md)."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from accounts.models import Account
from billing.inputs import BillingInputs, inputs_of, tariffs
from billing.previews.usage import Usage, pictured
from billing.pricing.charges import ADJUSTMENT, Held, Line, NotPriced, month_after, owed
from core.clock import database_now

NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class Estimate:
    """What a month comes to as things stand: if nothing changes until its end, and with the minutes used so far.

    `lines` are the month's own and the adjustments of earlier months that are known already.
    """

    month: date
    lines: Sequence[Line]
    minutes: int

    @property
    def total(self) -> Decimal:
        return total(self.lines)

    @property
    def adjustments(self) -> Decimal | None:
        """What of the total is about earlier months, USD; None if nothing is."""
        return adjustments(self.lines)


def total(lines: Iterable[Line]) -> Decimal:
    """Return the sum of the lines' amounts, USD."""
    return sum((line.amount for line in lines), NOTHING)


def adjustments(lines: Iterable[Line]) -> Decimal | None:
    """Return the sum of the lines that adjust earlier months, USD; None if there are none."""
    found = [line for line in lines if line.kind == ADJUSTMENT]
    return total(found) if found else None


def estimate(account: Account, now: datetime) -> Estimate | None:
    """Return the estimate of the account's running month, or None where it can't be told (`month_summary`)."""
    found = month_summary(account, now)
    return found.estimate if found else None


@dataclass(frozen=True)
class MonthSummary:
    """The running month: its estimate, a whole month of what is held, and the minutes of each day."""

    estimate: Estimate
    monthly_lines: Sequence[Line]
    usage: Usage

    @property
    def monthly(self) -> Decimal:
        return total(self.monthly_lines)


def month_summary(account: Account, now: datetime) -> MonthSummary | None:
    """Return the account's running month so far.

    None without Contact Center, and where something held has no price: nobody's page breaks on that.
    """
    today = account.day_of(now)
    month = today.replace(day=1)
    facts = inputs_of([account.pk], month, tariffs()).get(account.pk)
    if facts is None:
        return None
    # Where calls came late, the facts have minutes of earlier months too.
    minutes = {day: count for day, count in facts.minutes.items() if day >= month}
    with suppress(NotPriced):
        so_far = Estimate(month, facts.owed(month) + facts.adjustments(month), sum(minutes.values()))
        return MonthSummary(so_far, monthly_lines(facts, month), pictured(month, minutes, today))
    return None


@dataclass(frozen=True)
class WaivedCharges:
    """What onboarding has kept free so far: the recurring lines of its days until today, month by month."""

    lines: Sequence[Line]

    @property
    def total(self) -> Decimal:
        return total(self.lines)


def waived_charges(account: Account, now: datetime) -> WaivedCharges | None:
    """Return the recurring charges of the account's days in onboarding, which are never charged (R18).

    None without Contact Center, and where something held then has no price.
    """
    today = account.day_of(now)
    start = account.onboarding.started_on
    facts = inputs_of([account.pk], today.replace(day=1), tariffs(), since=start.replace(day=1)).get(account.pk)
    if facts is None:
        return None
    end = facts.activated_on or date.fromordinal(today.toordinal() + 1)
    free = [held._replace(end=min(held.end or end, end)) for held in facts.held if held.start < end]
    lines: list[Line] = []
    month = start.replace(day=1)
    with suppress(NotPriced):
        while month <= today:
            lines += owed(month, free, {}, start)
            month = month_after(month)
        return WaivedCharges(lines)
    return None


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
    facts = inputs_of([account.pk], month, tariffs()).get(account.pk)
    try:
        return BillNow(facts.to_invoice(month) if facts else [])
    except NotPriced as error:
        return BillNow([], str(error))


@dataclass(frozen=True)
class FirstBill:
    """What begins with an activation: the charge of a whole month, and the bill of the month it falls into."""

    monthly_lines: Sequence[Line]
    lines: Sequence[Line]

    @property
    def monthly(self) -> Decimal:
        return total(self.monthly_lines)

    @property
    def total(self) -> Decimal:
        return total(self.lines)

    @property
    def adjustments(self) -> Decimal | None:
        """What of the total is about earlier months, USD; None if nothing is."""
        return adjustments(self.lines)


@dataclass(frozen=True)
class FirstBills:
    """What begins with the activation of several accounts, by their keys, and together; nothing for too many."""

    of: Mapping[int, FirstBill]
    too_many: bool = False

    @property
    def adjustments(self) -> Decimal | None:
        return adjustments(line for bill in self.of.values() for line in bill.lines)

    @property
    def monthly(self) -> Decimal:
        return sum((bill.monthly for bill in self.of.values()), NOTHING)

    @property
    def total(self) -> Decimal:
        return sum((bill.total for bill in self.of.values()), NOTHING)


def first_bills(
    accounts: Sequence[Account], on: dict[int, date], *, now: datetime | None = None
) -> dict[int, FirstBill]:
    """Return what would begin for each account, by its key, if it were activated on its day in `on` (R17, R22).

    Adjustments that are known are on the bill of the running month; a later one does not have them.

    The queries do not depend on how many accounts there are; the days may be of different months. An account that
    can't be priced is left out: it can be activated all the same, and a run would set its bill aside.
    """
    catalogue = tariffs()
    by_key = {account.pk: account for account in accounts}
    months = {day.replace(day=1) for day in on.values()}
    bills: dict[int, FirstBill] = {}
    for month in sorted(months):
        keys = sorted(account.pk for account in accounts if on[account.pk].replace(day=1) == month)
        for key, facts in inputs_of(keys, month, catalogue).items():
            with suppress(NotPriced):
                lines = owed(month, facts.held, facts.minutes, on[key])
                if facts.late_months:
                    now = now or database_now()
                    lines += facts.adjustments(month) if month <= by_key[key].day_of(now) else []
                bills[key] = FirstBill(monthly_lines(facts, month), lines)
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


def monthly_lines(facts: BillingInputs, month: date) -> list[Line]:
    """Return the recurring lines of the whole month after `month`, if nothing changes: an active account's."""
    return whole_month([held for held in facts.held if held.end is None], month)


def whole_month(held: Iterable[Held], month: date) -> list[Line]:
    """Return the recurring lines of the month after `month`, charged from its first day on."""
    following = month_after(month)
    return owed(following, held, {}, following)
