"""Computes what is owed from plain values: no queries, no Django, no clock. Numbers in brackets: billing-policy.md.

Everything that shows an amount calls `current_lines` or `owed`: the estimate, the confirmation of a purchase, the
preview of an activation, the dry run, the run and its re-check. A preview passes other values, such as another day of
activation or other held periods. `billing.pricing.settlement` computes what is left to bill.

Money is Decimal, in USD (13). Days are days in the account's time zone (1, 2), a month is its first day, and an `end`
is exclusive.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from core.numbers import ceil_div

RECURRING: Final = "recurring"
USAGE: Final = "usage"
ADJUSTMENT: Final = "adjustment"

PRODUCT: Final = "product"
STORAGE: Final = "storage"
PACKAGE: Final = "package"
ONE_AT_A_TIME: Final = (PRODUCT, STORAGE, PACKAGE)  # of any other kind, an account holds several items side by side

CENT: Final = Decimal("0.01")
A_DAY: Final = timedelta(days=1)
REMEMBERED: Final = 20_000  # lines of an item


class NotPriced(ValueError):
    """Something was held or called on a day on which it has no price."""


class Rate(NamedTuple):
    """What an item costs from a local day on (7): USD a month, and for a package also USD a minute."""

    effective_from: date
    monthly_price: Decimal
    per_minute: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """An item of the catalog with all its prices; made once and shared by all accounts.

    An item that is `per_seat` is charged for each seat of the day (4). A package includes `minutes` a month,
    Pay-per-use 0 (9). `order` says how early its kind is on a bill; the product is always first.
    """

    sku: str
    kind: str
    per_seat: bool
    rates: tuple[Rate, ...]
    minutes: int = 0
    order: int = 0
    place: tuple[bool, int, str] = field(init=False, repr=False, compare=False)
    starts: tuple[date, ...] = field(init=False, repr=False, compare=False)
    # A cache of lines by first day, exclusive end and quantity, which also determine the price: thousands of accounts
    # hold the same.
    lines: dict[tuple[date, date, int], "Line"] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rates = tuple(sorted(self.rates, key=lambda rate: rate.effective_from))
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "starts", tuple(rate.effective_from for rate in rates))
        among = "" if self.kind in ONE_AT_A_TIME else self.sku
        object.__setattr__(self, "place", (self.kind != PRODUCT, self.order, among))

    def rated(self, first: date, end: date) -> Sequence[tuple[date, date, Rate]]:
        """Return the days from `first` to `end` in stretches, each as first day, exclusive end and rate in effect (7).

        Raises NotPriced if there is no price on `first`.
        """
        index = bisect_right(self.starts, first)
        if index == 0:
            raise NotPriced(f"{self.sku} has no price on {first}.")
        if index == len(self.starts) or self.starts[index] >= end:
            return ((first, end, self.rates[index - 1]),)
        changes = [start for start in self.starts[index:] if start < end]
        return list(zip([first, *changes], [*changes, end], self.rates[index - 1 :], strict=False))

    def changes_price(self, after: date, end: date) -> bool:
        """Whether its monthly price changes on a day after `after` and before `end`. Its first price is no change."""
        index = max(1, bisect_right(self.starts, after))
        return any(
            was.monthly_price != now.monthly_price
            for was, now in zip(self.rates[index - 1 :], self.rates[index:], strict=False)
            if now.effective_from < end
        )

    def priced_as_on(self, day: date) -> "Tariff":
        """Return the item as if it always had the price of a day; the item itself if it had no price then."""
        index = bisect_right(self.starts, day)
        if index == 0:
            return self
        rate = self.rates[index - 1]._replace(effective_from=date.min)
        return Tariff(self.sku, self.kind, self.per_seat, (rate,), self.minutes, self.order)


class Held(NamedTuple):
    """A row of the ledger: an item and the quantity that counts as held on each day from `start` to `end` (3).

    `end` is None if the row is open.
    """

    item: Tariff
    quantity: int
    start: date
    end: date | None = None


class Line(NamedTuple):
    """A line of a bill, with everything that its amount was computed from. `first` and `last` are inclusive days.

    - recurring: `unit_price` USD a month × `quantity` (seats, if `per_seat`) × `days` ÷ `days_in_month`.
    - usage: of the `minutes` called, `included` (`package_minutes` × `days` ÷ `days_in_month`, rounded up) are free;
      the `quantity` above them costs `unit_price` USD a minute.
    - adjustment: the usage line of an earlier month with its current values; `amount` is what it costs now, less
      `invoiced`.
    """

    kind: str
    sku: str
    month: date
    first: date
    last: date
    quantity: int
    unit_price: Decimal
    amount: Decimal
    per_seat: bool = False
    minutes: int | None = None
    included: int | None = None
    package_minutes: int | None = None
    invoiced: Decimal | None = None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def days_in_month(self) -> int:
        return (month_after(self.month) - self.month).days


def owed(month: date, held: Iterable[Held], minutes: Mapping[date, int], activated_on: date | None) -> list[Line]:
    """Return the lines an account owes for a month, without those of 0.00 (6). Takes and raises as `current_lines`."""
    return [line for line in current_lines(month, held, minutes, activated_on) if line.amount]


def current_lines(
    month: date, held: Iterable[Held], minutes: Mapping[date, int], activated_on: date | None
) -> list[Line]:
    """Return a month's current lines: recurring lines that cost something, and all usage lines, even those of 0.00.

    `held` are the account's rows of the ledger, in any order. `minutes` are whole minutes by local day, rounded up for
    each call (8); days of other months are ignored. `activated_on` is the first day on which recurring items are
    charged (5), or None. The lines are in the order of their kinds, with usage last. Raises NotPriced if a price, or
    the package of a day with minutes, is missing.
    """
    rows, end = _rows_of(month, held)
    lines = _recurring(month, end, rows, activated_on)
    lines.extend(_usage(month, end, rows, minutes))
    return lines


def recurring(month: date, held: Iterable[Held], activated_on: date | None) -> list[Line]:
    """Return a month's recurring lines that cost something, as `current_lines` does.

    Raises NotPriced if a monthly price is missing; a package's price per minute isn't needed.
    """
    rows, end = _rows_of(month, held)
    return _recurring(month, end, rows, activated_on)


def _rows_of(month: date, held: Iterable[Held]) -> tuple[list[Held], date]:
    """Return the rows that overlap the month, in the order of a bill, and the first day after the month."""
    if month.day != 1:
        raise ValueError(f"A month is named by its first day, not by {month}.")
    end = month_after(month)
    rows = [row for row in held if row.start < end and (row.end is None or row.end > month)]
    rows.sort(key=lambda row: (row.item.place, row.start))
    return rows, end


def month_after(month: date) -> date:
    """Return the first day of the month after `month`."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


Stretch = tuple[Tariff, date, date, int, Decimal]
"""An item, the days from the first to an exclusive end, and the quantity and unit price on them."""


def _recurring(month: date, end: date, rows: Sequence[Held], activated_on: date | None) -> list[Line]:
    """Return a line for each item and run of days with the same quantity and price, from `activated_on` on (2–7)."""
    lines: list[Line] = []
    if activated_on is None or activated_on >= end:
        return lines
    for item, first, stop, quantity, price in _runs(_charged(end, rows, max(month, activated_on))):
        line = item.lines.get((first, stop, quantity))
        if line is None:
            if len(item.lines) >= REMEMBERED:
                item.lines.clear()
            amount = _to_cents(price * (quantity * (stop - first).days) / (end - month).days)
            line = Line(RECURRING, item.sku, month, first, stop - A_DAY, quantity, price, amount, item.per_seat)
            item.lines[first, stop, quantity] = line
        if line.amount:
            lines.append(line)
    return lines


def _charged(end: date, rows: Sequence[Held], charged_from: date) -> list[Stretch]:
    """Return what is charged per day from `charged_from` until `end`, in order of item and day."""
    stretches: list[Stretch] = []
    seats: list[tuple[date, date, int]] = []
    for item, quantity, start, stop in rows:
        first, stop = max(start, charged_from), min(stop or end, end)
        if stop <= first:
            continue
        in_turn = [(first, stop, quantity)]
        if item.kind == PRODUCT:  # comes first, so the seats are known before they are needed
            seats += in_turn
        elif item.per_seat:  # charged for the seats of the day, which are the product's quantity (4)
            in_turn = [
                (max(first, since), min(stop, until), number)
                for since, until, number in seats
                if since < stop and first < until
            ]
        for begin, finish, number in in_turn:
            for rate_first, rate_stop, rate in item.rated(begin, finish):
                stretches.append((item, rate_first, rate_stop, number, rate.monthly_price))
    return stretches


def _usage(month: date, end: date, rows: Sequence[Held], minutes: Mapping[date, int]) -> list[Line]:
    """Return a line for each run of days with the same package and rate, in onboarding as well as after (8, 9)."""
    days_in_month = (end - month).days
    called = unplaced = _called(month, end, minutes)
    lines = []
    for item, first, stop, _, price in _runs(_packages(month, end, rows)):
        used = called if first == month and stop == end else _called(first, stop, minutes)
        included = ceil_div(item.minutes * (stop - first).days, days_in_month)
        quantity = max(0, used - included)
        amount = _to_cents(price * quantity)
        unplaced -= used
        counts = (used, included, item.minutes)
        lines.append(Line(USAGE, item.sku, month, first, stop - A_DAY, quantity, price, amount, False, *counts))
    if unplaced:
        raise NotPriced(f"{unplaced} minutes of {month:%B %Y} were called on days without a toll-free package.")
    return lines


def _called(first: date, stop: date, minutes: Mapping[date, int]) -> int:
    return sum([count for day, count in minutes.items() if first <= day < stop])


def _packages(month: date, end: date, rows: Sequence[Held]) -> list[Stretch]:
    """Return the month's packages in order of day, each with its price per minute."""
    stretches: list[Stretch] = []
    for item, quantity, start, stop in rows:
        if item.kind == PACKAGE:
            for first, until, rate in item.rated(max(start, month), min(stop or end, end)):
                if rate.per_minute is None:
                    raise NotPriced(f"{item.sku} has no price per minute on {first}.")
                stretches.append((item, first, until, quantity, rate.per_minute))
    return stretches


def _runs(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Return the stretches, with adjacent ones merged if they differ only in their days (6)."""
    runs: list[Stretch] = []
    for stretch in stretches:
        last = runs[-1] if runs else None
        if last and last[2] == stretch[1] and last[0].sku == stretch[0].sku and last[3:] == stretch[3:]:
            runs[-1] = (last[0], last[1], *stretch[2:])
        else:
            runs.append(stretch)
    return runs


def _to_cents(amount: Decimal) -> Decimal:
    """Round half up to cents (6).

    This is exact: 28 digits are kept, and an amount of n/31 cents differs from half a cent by at least 1/62 cent.
    """
    return amount.quantize(CENT, ROUND_HALF_UP)
