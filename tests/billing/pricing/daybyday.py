"""A second implementation of billing-policy.md, deliberately naive: day by day, from purchases instead of the ledger.

It shares no code with `billing` or `subscriptions`; tests compare the two. Numbers in brackets are the policy's. Money
is a Fraction of USD, rounded once for each line.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass
class Item:
    kind: str
    per_seat: bool = False
    size: int = 0


class Price(NamedTuple):
    sku: str
    since: date
    monthly: Fraction
    per_minute: Fraction | None


class Purchase(NamedTuple):
    """From `at` on, `field` is `value`: "seats" is a number, "storage" and "package" are SKUs, an SKU is on or off."""

    at: datetime
    field: str
    value: Any


class Call(NamedTuple):
    id: str
    started: datetime
    seconds: int
    received: datetime


@dataclass
class Life:
    zone: ZoneInfo
    product: str
    catalogue: dict[str, Item]
    prices: list[Price]
    installed: datetime
    activated: datetime | None
    purchases: list[Purchase]
    calls: list[Call]


class Line(NamedTuple):
    kind: str
    sku: str
    month: date
    first: date
    last: date
    quantity: int
    unit_price: Fraction
    amount: Fraction
    minutes: int | None = None
    included: int | None = None


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def days_of(month: date) -> list[date]:
    days = [month + n * DAY for n in range(31)]
    return [day for day in days if day.month == month.month]


def rounded(amount: Fraction) -> Fraction:
    """Return the amount rounded half up to cents (6)."""
    return Fraction(floor(amount * 100 + Fraction(1, 2)), 100)


def price_on(life: Life, sku: str, day: date) -> Price:
    """Return the latest price in effect on the day (7)."""
    return max((price for price in life.prices if price.sku == sku and price.since <= day), key=lambda p: p.since)


def values_of(life: Life, field: str, day: date) -> list[Any]:
    """Return all values that a field had at any moment of the day that can be charged: the first and all later ones.

    The first is the one at the start of the day, or on the day of activation, at the moment of activation (5).
    """
    begin, end = first_moment(day, life.zone), first_moment(day + DAY, life.zone)
    if life.activated and begin < life.activated < end:
        begin = life.activated
    made = [purchase for purchase in life.purchases if purchase.field == field]
    at_begin = [purchase.value for purchase in made if purchase.at <= begin]
    during = [purchase.value for purchase in made if begin < purchase.at < end]
    return at_begin[-1:] + during


def packages_until(life: Life, end: date) -> dict[date, str]:
    """Return the package of each day: a larger one counts immediately, a smaller one from the next month (10)."""
    chosen: dict[date, list[str]] = {}
    for purchase in life.purchases:
        if purchase.field == "package":
            chosen.setdefault(purchase.at.astimezone(life.zone).date(), []).append(purchase.value)
    packages: dict[date, str] = {}
    counts = ""
    waiting = ""
    day = life.installed.astimezone(life.zone).date()
    while day < end:
        if day.day == 1 and waiting:
            counts, waiting = waiting, ""
        for choice in chosen.get(day, []):
            if not counts or life.catalogue[choice].size >= life.catalogue[counts].size:
                counts, waiting = choice, ""
            else:
                waiting = choice
        packages[day] = counts
        day += DAY
    return packages


def held_on(life: Life, day: date, package: str | None) -> dict[str, int]:
    """Return what counts as held on a day: the highest of all moments (3), times the seats for per-seat items (4)."""
    held: dict[str, int] = {}
    seats = max(values_of(life, "seats", day), default=0)
    if seats:
        held[life.product] = seats
    storages = values_of(life, "storage", day)
    if storages:
        held[max(storages, key=lambda sku: life.catalogue[sku].size)] = 1
    if package:
        held[package] = 1
    for sku, item in life.catalogue.items():
        if item.kind in ("channel", "addon") and any(values_of(life, sku, day)):
            held[sku] = 1
    return {sku: seats if life.catalogue[sku].per_seat else count for sku, count in held.items()}


def held_in(life: Life, months: Sequence[date]) -> dict[date, dict[str, int]]:
    """Return what counts as held on each day of some months, in order."""
    packages = packages_until(life, months[-1] + 31 * DAY)
    return {day: held_on(life, day, packages.get(day)) for month in months for day in days_of(month)}


def runs(days: Iterable[tuple[date, Any]]) -> Iterator[tuple[date, date, Any]]:
    """Return the first and last day of each run of consecutive days with the same value; None is no value."""
    first = last = None
    value = None
    for day, each in [*days, (date.max, None)]:
        if first is not None and (each != value or day != last + DAY):
            yield first, last, value
            first = None
        if each is not None:
            first, last, value = (day if first is None else first), day, each


def bill(life: Life, month: date, held: dict[date, dict[str, int]], calls: Sequence[Call]) -> list[Line]:
    """Return the lines owed for a month, by what was held and the calls so far; of those of 0.00, only usage."""
    days = days_of(month)
    live_from = life.activated.astimezone(life.zone).date() if life.activated else date.max
    lines = []
    for sku in life.catalogue:
        charged = [
            (day, (held[day][sku], price_on(life, sku, day).monthly) if held[day].get(sku) else None)
            for day in days
            if day >= live_from  # (5)
        ]
        for first, last, (quantity, price) in runs(charged):
            amount = rounded(price * quantity * ((last - first).days + 1) / len(days))  # (2)
            if amount:
                lines.append(Line("recurring", sku, month, first, last, quantity, price, amount))
    minutes = minutes_by_day(life, calls)
    packages = [
        (day, next(((sku, price_on(life, sku, day).per_minute) for sku in held[day] if is_package(life, sku)), None))
        for day in days
    ]
    for first, last, (sku, rate) in runs(packages):
        run = [day for day in days if first <= day <= last]
        used = sum(minutes.get(day, 0) for day in run)
        included = ceil(Fraction(life.catalogue[sku].size * len(run), len(days)))  # (9)
        above = max(used - included, 0)
        lines.append(Line("usage", sku, month, first, last, above, rate, rounded(rate * above), used, included))
    return lines


def is_package(life: Life, sku: str) -> bool:
    return life.catalogue[sku].kind == "package"


def minutes_by_day(life: Life, calls: Sequence[Call]) -> dict[date, int]:
    """Return the minutes by day, with each call id once, on the day it started, rounded up to whole minutes (8, 11)."""
    seen: set[str] = set()
    minutes: dict[date, int] = {}
    for call in calls:
        if call.id not in seen:
            seen.add(call.id)
            day = call.started.astimezone(life.zone).date()
            minutes[day] = minutes.get(day, 0) + ceil(Fraction(call.seconds, 60))
    return minutes


def invoices(life: Life, runs_at: Sequence[tuple[date, datetime]]) -> list[list[Line]]:
    """Return the lines of each invoice, if the months are billed in order at these moments (11, 12)."""
    held = held_in(life, [month for month, _ in runs_at])
    told: dict[date, dict[tuple[str, date, date], Fraction]] = {}
    result = []
    for month, at in runs_at:
        calls = [call for call in life.calls if call.received <= at]
        invoice = [line for line in bill(life, month, held, calls) if line.amount]
        for earlier, amounts in told.items():
            for line in bill(life, earlier, held, calls):
                key = (line.sku, line.first, line.last)
                if line.kind == "usage" and line.amount != amounts.get(key, 0):
                    invoice.append(line._replace(kind="adjustment", amount=line.amount - amounts.get(key, 0)))
                    amounts[key] = line.amount
        told[month] = {(line.sku, line.first, line.last): line.amount for line in invoice if line.kind == "usage"}
        result.append(invoice)
    return result
