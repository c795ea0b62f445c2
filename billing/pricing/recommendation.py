"""Finds the toll-free package that would cost an account least, from its own minutes. No queries and no clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from billing.pricing.charges import CENT
from core.numbers import ceil_div


@dataclass(frozen=True)
class PackagePrice:
    """A package as it is sold: USD a month, the minutes included each month, and USD for each minute above them."""

    sku: str
    monthly_price: Decimal
    minutes: int
    per_minute: Decimal

    def cost(self, minutes: int) -> Decimal:
        """Return what a whole month with this number of minutes costs, USD to the cent (billing-policy.md, 9)."""
        usage = self.per_minute * max(0, minutes - self.minutes)
        return self.monthly_price + usage.quantize(CENT, ROUND_HALF_UP)

    @property
    def included_rate(self) -> Decimal | None:
        """What a minute costs if all included minutes are used, USD; None if none are included."""
        return self.monthly_price / self.minutes if self.minutes else None


@dataclass(frozen=True)
class Recommendation:
    """What each of the `offers` would have cost an account. `months` are its minutes in recent whole months."""

    months: Sequence[int]
    offers: Sequence[PackagePrice]

    @property
    def average(self) -> int:
        """The average minutes a month, rounded up."""
        return ceil_div(sum(self.months), len(self.months))

    def cost(self, offer: PackagePrice) -> Decimal:
        """Return what a month would have cost on average with the package, USD to the cent."""
        costs = sum((offer.cost(minutes) for minutes in self.months), Decimal(0))
        return (costs / len(self.months)).quantize(CENT, ROUND_HALF_UP)

    @property
    def best(self) -> PackagePrice:
        """The package that would have cost least; of two that cost the same, the smaller."""
        return min(self.offers, key=lambda offer: (self.cost(offer), offer.minutes))


def pays_off_from(offer: PackagePrice, offers: Iterable[PackagePrice]) -> int | None:
    """Return from how many minutes a month the package costs less than every smaller one.

    None if it never does, and for the smallest package.
    """
    points = [_cheaper_from(offer, smaller) for smaller in offers if smaller.minutes < offer.minutes]
    found = [point for point in points if point is not None]
    return max(found) if found and len(found) == len(points) else None


def _cheaper_from(offer: PackagePrice, smaller: PackagePrice) -> int | None:
    """Return the least number of minutes for which `offer` costs less than a smaller package, or None."""
    if smaller.monthly_price > offer.monthly_price:
        return 0
    if smaller.per_minute > 0:
        point = smaller.minutes + _next((offer.monthly_price - smaller.monthly_price) / smaller.per_minute)
        if point <= offer.minutes:
            return point
    if smaller.per_minute <= offer.per_minute:
        return None
    # Above the included minutes of both, a minute of the larger package costs less, so the costs meet at some point.
    difference = offer.monthly_price - smaller.monthly_price
    difference += smaller.minutes * smaller.per_minute - offer.minutes * offer.per_minute
    return max(offer.minutes, _next(difference / (smaller.per_minute - offer.per_minute)))


def _next(minutes: Decimal) -> int:
    """Return the smallest whole number above `minutes`."""
    return int(minutes.to_integral_value(ROUND_FLOOR)) + 1
