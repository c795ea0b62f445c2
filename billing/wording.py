"""Texts about the lines of a bill, such as how an amount was computed. No queries."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext, ngettext

from billing.pricing.charges import ADJUSTMENT, RECURRING, Line
from core.dates import days_in_words, month_in_words
from core.money import money, rate
from subscriptions.models import ItemKind


def days_of(line: Line) -> str:
    """Return the days of a line, like `Mar 16–31, 2026`, or a single day."""
    return days_in_words(line.first, line.last)


def title(line: Line, items: Mapping[str, tuple[str, str]]) -> str:
    """Return what a line is about: `Contact Center Pro`, `Recording storage, 100 GB`, `Toll-free minutes, Pay-per-use`.

    `items` has the name and the kind of each item by SKU.
    """
    name, kind = items.get(line.sku, (line.sku, ""))
    if line.kind != RECURRING:
        name = gettext("Toll-free minutes, %(package)s") % {"package": name}
    elif kind in (ItemKind.STORAGE, ItemKind.PACKAGE):
        name = f"{ItemKind(kind).label}, {name}"
    if line.kind != ADJUSTMENT:
        return name
    return gettext("%(name)s, adjustment of %(month)s") % {"name": name, "month": month_in_words(line.month)}


def arithmetic(line: Line) -> str:
    """Return the arithmetic of a line's amount: `25 seats × $70.00 × 16 of 31 days = $903.23`."""
    if line.kind == RECURRING:
        seats = f"{_counted_seats(line.quantity)} × " if line.per_seat else ""
        whole = line.days == line.days_in_month
        part = "" if whole else f" × {_part_of_month(line)}"
        if not seats and not part:
            return gettext("%(amount)s for the whole month") % {"amount": money(line.amount)}
        return f"{seats}{money(line.unit_price)}{part} = {money(line.amount)}"
    return f"{_usage(line)} = {money(_usage_amount(line))}{_less(line)}"


def included(line: Line) -> str:
    """Return how many minutes a usage line's days include: `267 minutes included for Nov 15–30, 2026`."""
    count = line.included or 0
    words = ngettext("%(count)s minute included for %(days)s", "%(count)s minutes included for %(days)s", count)
    return words % {"count": f"{count:,}", "days": days_of(line)}


def _counted_seats(count: int) -> str:
    return ngettext("%(count)s seat", "%(count)s seats", count) % {"count": f"{count:,}"}


def _part_of_month(line: Line) -> str:
    return gettext("%(days)s of %(all)s days") % {"days": line.days, "all": line.days_in_month}


def _usage(line: Line) -> str:
    """Return how the charged minutes were computed, and their price."""
    used, included = line.minutes or 0, line.included or 0
    price = "× " + gettext("%(price)s a minute") % {"price": rate(line.unit_price)}
    if not line.package_minutes:
        return f"{_minutes(used)} {price}"
    included_in_words = gettext("%(minutes)s included") % {"minutes": f"{included:,}"}
    if line.days != line.days_in_month:
        rounded = gettext("%(part)s, rounded up") % {"part": _part_of_month(line)}
        included_in_words = f"{_minutes(line.package_minutes)} × {rounded} = {included_in_words}"
    charged = gettext("%(charged)s of %(used)s") % {"charged": f"{line.quantity:,}", "used": _minutes(used)}
    return f"{charged} ({included_in_words}) {price}"


def _usage_amount(line: Line) -> Decimal:
    return (line.quantity * line.unit_price).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _less(line: Line) -> str:
    """Return the end of an adjustment's arithmetic: less what was invoiced before. Empty for other lines."""
    if line.kind != ADJUSTMENT:
        return ""
    invoiced = gettext("less %(amount)s invoiced before") % {"amount": money(line.invoiced or Decimal(0))}
    return f", {invoiced} = {money(line.amount)}"


def _minutes(count: int) -> str:
    return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": f"{count:,}"}
