"""Which package would cost least, and when each pays off, compared with trying every number of minutes."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.recommendation import PackagePrice, Recommendation, pays_off_from

PAY_PER_USE = PackagePrice("tf-payperuse", Decimal(0), 0, Decimal("0.0450"))
SMALL = PackagePrice("tf-500", Decimal(18), 500, Decimal("0.0420"))
MIDDLE = PackagePrice("tf-1000", Decimal(34), 1000, Decimal("0.0410"))
LARGE = PackagePrice("tf-2500", Decimal(80), 2500, Decimal("0.0400"))
OFFERS = [PAY_PER_USE, SMALL, MIDDLE, LARGE]


@pytest.mark.parametrize(
    ("offer", "minutes", "cost"),
    [
        (PAY_PER_USE, 0, "0.00"),
        (PAY_PER_USE, 1, "0.05"),  # 4.5 cents, half up
        (PAY_PER_USE, 1240, "55.80"),
        (SMALL, 500, "18.00"),
        (SMALL, 501, "18.04"),
        (MIDDLE, 1240, "43.84"),
        (LARGE, 1240, "80.00"),
    ],
)
def test_what_a_month_costs_with_a_package(offer: PackagePrice, minutes: int, cost: str) -> None:
    assert offer.cost(minutes) == Decimal(cost)


def test_from_how_many_minutes_each_pays_off() -> None:
    # 401 × 4.5 cents is above 18 dollars, 400 is not; 500 minutes and 381 × 4.2 cents are above 34.
    assert [pays_off_from(offer, OFFERS) for offer in OFFERS] == [None, 401, 881, 2122]


def test_a_package_that_never_costs_less_pays_off_nowhere() -> None:
    dear = PackagePrice("dear", Decimal(500), 100, Decimal("0.0450"))
    assert pays_off_from(dear, [PAY_PER_USE, dear]) is None


def test_a_larger_package_that_is_cheaper_always_pays_off() -> None:
    gift = PackagePrice("gift", Decimal(10), 1000, Decimal("0.0400"))
    assert pays_off_from(gift, [SMALL, gift]) == 0


def test_above_both_packages_the_lower_price_a_minute_wins() -> None:
    first, second = (
        PackagePrice("a", Decimal(0), 0, Decimal("0.05")),
        PackagePrice("b", Decimal(60), 1000, Decimal("0.02")),
    )
    # 0.05 m > 60 + 0.02 (m − 1000) from 1,334 minutes on, which is above the 1,000 included.
    assert pays_off_from(second, [first, second]) == 1334


prices = st.integers(0, 60).map(lambda cents: Decimal(cents) / 100)
rates = st.integers(0, 9).map(lambda cents: Decimal(cents) / 100)


@given(
    smaller=st.builds(PackagePrice, st.just("a"), prices, st.integers(0, 20), rates),
    larger=st.builds(PackagePrice, st.just("b"), prices, st.integers(21, 40), rates),
)
def test_where_it_pays_off_is_the_first_number_of_minutes_that_costs_less(
    smaller: PackagePrice, larger: PackagePrice
) -> None:
    def cost(offer: PackagePrice, minutes: int) -> Decimal:  # not rounded, so that half a cent decides nothing
        return offer.monthly_price + offer.per_minute * max(0, minutes - offer.minutes)

    cheaper = [minutes for minutes in range(1000) if cost(larger, minutes) < cost(smaller, minutes)]
    assert pays_off_from(larger, [smaller, larger]) == (cheaper[0] if cheaper else None)


@pytest.mark.parametrize(
    ("months", "average", "best", "cost"),
    [
        ([0, 0], 0, PAY_PER_USE, "0.00"),
        ([400], 400, PAY_PER_USE, "18.00"),  # costs the same as 500 minutes: the smaller wins
        ([1240], 1240, MIDDLE, "43.84"),
        ([890, 900], 895, MIDDLE, "34.00"),
        ([0, 2500], 1250, PAY_PER_USE, "56.25"),  # by the average, it would be 1,000 minutes
    ],
)
def test_the_months_own_minutes_decide(months: Sequence[int], average: int, best: PackagePrice, cost: str) -> None:
    suggestion = Recommendation(months, OFFERS)
    assert (suggestion.average, suggestion.best, suggestion.cost(suggestion.best)) == (average, best, Decimal(cost))
    assert all(suggestion.cost(offer) >= suggestion.cost(best) for offer in OFFERS)


def test_a_part_of_a_minute_counts_as_one() -> None:
    assert Recommendation([1, 1, 0], OFFERS).average == 1
