"""An amount in words: how each line of a bill was computed. No queries."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from billing.charges import ADJUSTMENT, RECURRING, Line
from subscriptions.models import Kind

PER_MINUTE = "a minute"


def money(amount: Decimal) -> str:
    """Return USD as it is read: `$1,234.50`, `-$0.84`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,.2f}"


def rate(price: Decimal) -> str:
    """Return a price per minute with as many places as it has, two at least: `$0.045`."""
    places = max(2, -int(price.normalize().as_tuple().exponent))
    return f"${price:.{places}f}"


def cents(price: Decimal) -> str:
    """Return a price per minute in cents, to a hundredth of one: `3.6¢`."""
    return f"{(price * 100).quantize(Decimal('0.01'), ROUND_HALF_UP).normalize():f}¢"


def days_of(line: Line) -> str:
    """Return the days of a line: `Mar 16–31, 2026`, or one day."""
    first, last = line.first, line.last
    if first == last:
        return f"{first:%b} {first.day}, {first.year}"
    return f"{first:%b} {first.day}–{last.day}, {first.year}"


def title(line: Line, items: Mapping[str, tuple[str, str]]) -> str:
    """Return what a line is about: `Contact Center Pro`, `Recording storage, 100 GB`, `Toll-free minutes, Pay-per-use`.

    `items` has the name and the kind of each item by SKU.
    """
    name, kind = items.get(line.sku, (line.sku, ""))
    if line.kind != RECURRING:
        name = f"Toll-free minutes, {name}"
    elif kind in (Kind.STORAGE, Kind.PACKAGE):
        name = f"{Kind(kind).label}, {name}"
    return f"{name}, adjustment of {line.month:%B %Y}" if line.kind == ADJUSTMENT else name


def arithmetic(line: Line) -> str:
    """Return the arithmetic of a line's amount: `25 seats × $70.00 × 16 of 31 days = $903.23`."""
    if line.kind == RECURRING:
        seats = f"{line.quantity:,} {'seat' if line.quantity == 1 else 'seats'} × " if line.per_seat else ""
        whole = line.days == line.days_in_month
        part = "" if whole else f" × {line.days} of {line.days_in_month} days"
        if not seats and not part:
            return f"{money(line.amount)} for the whole month"
        return f"{seats}{money(line.unit_price)}{part} = {money(line.amount)}"
    return f"{_usage(line)} = {money(_usage_amount(line))}{_less(line)}"


def _usage(line: Line) -> str:
    """Return how the minutes that are charged come about."""
    used, included = line.minutes or 0, line.included or 0
    price = f"× {rate(line.unit_price)} {PER_MINUTE}"
    if not line.package_minutes:
        return f"{used:,} {_minutes(used)} {price}"
    part = "" if line.days == line.days_in_month else f" × {line.days} of {line.days_in_month} days, rounded up"
    allowance = f"{line.package_minutes:,} minutes{part}" if part else f"{included:,}"
    because = f" ({allowance} = {included:,} included)" if part else f" ({included:,} included)"
    return f"{line.quantity:,} of {used:,} {_minutes(used)}{because} {price}"


def _usage_amount(line: Line) -> Decimal:
    return (line.quantity * line.unit_price).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _less(line: Line) -> str:
    """Return what an adjustment takes off: what was invoiced of it before."""
    if line.kind != ADJUSTMENT:
        return ""
    return f", less {money(line.invoiced or Decimal(0))} invoiced before = {money(line.amount)}"


def _minutes(count: int) -> str:
    return "minute" if count == 1 else "minutes"
