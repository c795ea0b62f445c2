"""From which day an item may have a price, and be sold beside others of its size. No queries."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.core.exceptions import ValidationError

from core.dates import day_in_words

FIRST = timedelta(hours=14)  # a day begins first where it is 14 hours later than in UTC
LAST = timedelta(hours=12)  # and ends last where it is 12 hours earlier


def first_day_of_a_new_price(now: datetime) -> date:
    """Return the first day that has begun nowhere on earth: from then on any item can have another price (R24)."""
    return (now.astimezone(UTC) + FIRST).date() + timedelta(days=1)


def first_day_to_withdraw_from(now: datetime) -> date:
    """Return the earliest day that has not ended everywhere on earth."""
    return (now.astimezone(UTC) - LAST).date()


def past_price_refusal(
    name: str, day: date, *, others: Collection[date], now: datetime, is_moved: bool = False
) -> ValidationError | None:
    """Return why the item of this name can't have a new price from a day, or None.

    A price for a day that has begun somewhere is only for an item that had none then (billing-policy.md, 18); a price
    to come is never moved to one. `others` are the first days of the item's other prices.
    """
    first = first_day_of_a_new_price(now)
    if day >= first or not (is_moved or any(other <= day for other in others)):
        return None
    why = "" if is_moved else f" and {name} already had a price then"
    return ValidationError(
        f"{day_in_words(day)} has begun{why}: a price can start on {day_in_words(first)} at the earliest.",
        code="price_starts_later",
    )


@dataclass(frozen=True)
class Sale:
    """The days on which an item is sold: from its first price until it is withdrawn, or until further notice."""

    name: str
    first: date
    withdrawn_from: date | None = None

    @property
    def is_empty(self) -> bool:
        return self.withdrawn_from is not None and self.withdrawn_from <= self.first

    def ends_by(self, day: date) -> bool:
        return self.withdrawn_from is not None and self.withdrawn_from <= day


def sale_refusal(sale: Sale, others: Iterable[Sale]) -> ValidationError | None:
    """Return why an item can't be sold on these days beside the others of its kind and size, or None.

    Of each size one item is on sale at a time: a successor starts when the one before it is withdrawn, or later.
    """
    for other in others:
        if sale.is_empty or other.is_empty or sale.ends_by(other.first) or other.ends_by(sale.first):
            continue
        before, after = sorted((sale, other), key=lambda one: one.first)
        ends = f"is withdrawn only on {day_in_words(before.withdrawn_from)}" if before.withdrawn_from else "is on sale"
        return ValidationError(
            f"{after.name} can't have its first price on {day_in_words(after.first)}: {before.name}, "
            f"which has the same size, {ends}. Of each size one item is on sale at a time.",
            code="size_on_sale",
        )
    return None
