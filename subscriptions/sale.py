"""The rules for the days from which an item may have a price and be on sale. No queries."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.core.exceptions import ValidationError

from core.dates import day_in_words

FIRST = timedelta(hours=14)  # a day begins first at UTC+14
LAST = timedelta(hours=12)  # and ends last at UTC-12


def first_day_of_a_new_price(now: datetime) -> date:
    """Return the first day that has not begun anywhere on earth, on which any item can get a new price (R24)."""
    return (now.astimezone(UTC) + FIRST).date() + timedelta(days=1)


def first_day_to_withdraw_from(now: datetime) -> date:
    """Return the earliest day that has not ended everywhere on earth, from which an item can be withdrawn."""
    return (now.astimezone(UTC) - LAST).date()


def past_price_refusal(
    name: str, day: date, *, others: Collection[date], now: datetime, is_moved: bool = False
) -> ValidationError | None:
    """Return why the item of this name can't have a new price from a day, or None if it can.

    On a day that has begun anywhere, a price may start only if the item had none then (billing policy 18). An existing
    price can't be moved to such a day (`is_moved`). `others` are the days from which the item has other prices.
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
    """The days on which an item is on sale: from its first price until `withdrawn_from`, or if None, without an end."""

    name: str
    first: date
    withdrawn_from: date | None = None

    @property
    def is_empty(self) -> bool:
        return self.withdrawn_from is not None and self.withdrawn_from <= self.first

    def ends_by(self, day: date) -> bool:
        return self.withdrawn_from is not None and self.withdrawn_from <= day


def sale_refusal(sale: Sale, others: Iterable[Sale]) -> ValidationError | None:
    """Return why an item can't be on sale on these days because of others of its kind and size, or None if it can.

    Only one item of a size is on sale at a time: a successor starts on the day its predecessor is withdrawn, or later.
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
