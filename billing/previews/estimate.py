"""The amounts that pages show: estimates and previews, computed by the same function as the bills (docs/billing.md)."""

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
    """The charges of a month if nothing changes until its end, with the minutes used so far.

    `lines` are the month's own lines, and the adjustments of earlier months that are already known.
    """

    month: date
    lines: Sequence[Line]
    minutes: int

    @property
    def total(self) -> Decimal:
        return total(self.lines)

    @property
    def adjustments(self) -> Decimal | None:
        """The part of the total that adjusts earlier months, USD; None if there is none."""
        return adjustments(self.lines)


def total(lines: Iterable[Line]) -> Decimal:
    """Return the sum of the lines' amounts, USD."""
    return sum((line.amount for line in lines), NOTHING)


def adjustments(lines: Iterable[Line]) -> Decimal | None:
    """Return the sum of the lines that adjust earlier months, USD; None if there are none."""
    found = [line for line in lines if line.kind == ADJUSTMENT]
    return total(found) if found else None


def estimate(account: Account, now: datetime) -> Estimate | None:
    """Return the estimate of the account's current month, or None if `month_summary` is None."""
    found = month_summary(account, now)
    return found.estimate if found else None


@dataclass(frozen=True)
class MonthSummary:
    """The current month: its estimate, the recurring lines of a whole month, and the minutes of each day."""

    estimate: Estimate
    monthly_lines: Sequence[Line]
    usage: Usage

    @property
    def monthly(self) -> Decimal:
        return total(self.monthly_lines)


def month_summary(account: Account, now: datetime) -> MonthSummary | None:
    """Return the account's current month so far.

    None without Contact Center, or if something held has no price, because pages must not fail then.
    """
    today = account.day_of(now)
    month = today.replace(day=1)
    inputs = inputs_of([account.pk], month, tariffs()).get(account.pk)
    if inputs is None:
        return None
    # If calls came late, the inputs also have the minutes of earlier months.
    minutes = {day: count for day, count in inputs.minutes.items() if day >= month}
    with suppress(NotPriced):
        so_far = Estimate(month, inputs.owed(month) + inputs.adjustments(month), sum(minutes.values()))
        return MonthSummary(so_far, monthly_lines(inputs, month), pictured(month, minutes, today))
    return None


@dataclass(frozen=True)
class WaivedCharges:
    """The recurring charges that onboarding has waived so far: the lines of its days until today, month by month."""

    lines: Sequence[Line]

    @property
    def total(self) -> Decimal:
        return total(self.lines)


def waived_charges(account: Account, now: datetime) -> WaivedCharges | None:
    """Return the recurring charges of the account's days in onboarding, which are never charged (R18).

    None without Contact Center, or if something held then has no price.
    """
    today = account.day_of(now)
    start = account.onboarding.started_on
    inputs = inputs_of([account.pk], today.replace(day=1), tariffs(), since=start.replace(day=1)).get(account.pk)
    if inputs is None:
        return None
    end = inputs.activated_on or date.fromordinal(today.toordinal() + 1)
    free = [held._replace(end=min(held.end or end, end)) for held in inputs.held if held.start < end]
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
    """The bill of a month as it would be issued now, or the reason why it can't be computed."""

    lines: Sequence[Line]
    reason: str = ""

    @property
    def total(self) -> Decimal:
        return total(self.lines)


def bill_now(account: Account, month: date) -> BillNow:
    """Return the account's bill for a month that has ended, as a run or a release would issue it now."""
    inputs = inputs_of([account.pk], month, tariffs()).get(account.pk)
    try:
        return BillNow(inputs.to_invoice(month) if inputs else [])
    except NotPriced as error:
        return BillNow([], str(error))


@dataclass(frozen=True)
class FirstBill:
    """The charges that start with an activation: those of a whole month, and the bill for the activation's month."""

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
        """The part of the total that adjusts earlier months, USD; None if there is none."""
        return adjustments(self.lines)


@dataclass(frozen=True)
class FirstBills:
    """The charges that start with the activation of several accounts, by account key; empty if there are too many."""

    of: Mapping[int, FirstBill]
    too_many: bool = False

    def among(self, accounts: Iterable[int]) -> "FirstBills":
        """Return those of these accounts."""
        return FirstBills({key: self.of[key] for key in accounts if key in self.of}, self.too_many)

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
    """Return the charges that would start for each account, by key, if it were activated on its day in `on` (R17, R22).

    Known adjustments are on the bill for the current month, and not on one for a later month. The days may be in
    different months. The number of queries doesn't depend on the number of accounts. An account that can't be priced is
    left out: it can be activated all the same, and a run would set its bill aside.
    """
    catalogue = tariffs()
    by_key = {account.pk: account for account in accounts}
    months = {day.replace(day=1) for day in on.values()}
    bills: dict[int, FirstBill] = {}
    for month in sorted(months):
        keys = sorted(account.pk for account in accounts if on[account.pk].replace(day=1) == month)
        for key, inputs in inputs_of(keys, month, catalogue).items():
            with suppress(NotPriced):
                lines = owed(month, inputs.held, inputs.minutes, on[key])
                if inputs.late_months:
                    now = now or database_now()
                    lines += inputs.adjustments(month) if month <= by_key[key].day_of(now) else []
                bills[key] = FirstBill(monthly_lines(inputs, month), lines)
    return bills


def first_bills_from(starts: Mapping[tuple[int, date], Account]) -> dict[tuple[int, date], FirstBill]:
    """Return the charges that would start for accounts on certain days, by key and day. An account may have several."""
    bills: dict[tuple[int, date], FirstBill] = {}
    left = dict(starts)
    while left:
        on = dict(left.keys())  # for each account, the last of its days that are left
        accounts = {key: account for (key, _), account in left.items()}
        found = first_bills(list(accounts.values()), on)
        bills |= {(key, on[key]): bill for key, bill in found.items()}
        left = {(key, day): account for (key, day), account in left.items() if day != on[key]}
    return bills


def monthly_lines(inputs: BillingInputs, month: date) -> list[Line]:
    """Return the recurring lines of the month after `month`, if nothing changes and the account is active."""
    return whole_month([held for held in inputs.held if held.end is None], month)


def whole_month(held: Iterable[Held], month: date) -> list[Line]:
    """Return the recurring lines of the month after `month`, charged from its first day on."""
    following = month_after(month)
    return owed(following, held, {}, following)
