"""Bills put on hold because prices jumped or the total is large; never for what was bought on purpose (I20)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, PhoneNumber, User
from billing.models import BillOnHold, Invoice
from billing.pricing.charges import Rate, Tariff
from core.past import writing_history
from onboarding.actions import activate
from subscriptions.models import Item, Price
from tests.billing.bills import APRIL, IN_APRIL, IN_JUNE, IN_MAY, MARCH, MAY, Customers, bill, buy, called
from tests.guarding import nothing_written, sql

APRIL_10 = date(2026, 4, 10)


def reprice(sku: str, price: str, day: date = APRIL, per_minute: str | None = None) -> None:
    """Give an item a new price from a day in the past on."""
    with writing_history():
        Price.objects.create(
            item=Item.objects.get(sku=sku),
            effective_from=day,
            monthly_price=Decimal(price),
            per_minute=None if per_minute is None else Decimal(per_minute),
        )


@pytest.fixture
def billed(active: Account, owner: User) -> Account:
    """An account with two seats at $70.00 that was billed for March."""
    buy(active, owner, seats=2)
    assert bill().accounts == 1
    return active


def reasons(month: date = APRIL, now: datetime = IN_MAY, **options: Any) -> list[str]:
    return list(bill(month, now, **options).on_hold.values())


def test_a_bill_waits_when_prices_jumped(billed: Account) -> None:
    reprice("cc-pro", "7000.00", APRIL_10)
    words = (
        "Recurring charges of $9,842.00, which would be $140.00 at the prices of March 31, 2026, the last day billed "
        "before."
    )
    with nothing_written():
        assert reasons(dry_run=True) == [words]
    assert reasons() == [words]
    on_hold = BillOnHold.objects.get()
    assert (on_hold.account, on_hold.month, on_hold.total, on_hold.why) == (billed, APRIL, Decimal("9842.00"), words)
    assert not Invoice.objects.filter(month=APRIL).exists()


@pytest.mark.parametrize(
    ("price", "times", "is_held"),
    [
        ("700.00", 10, False),
        ("700.01", 10, True),
        ("700.01", 11, False),
        ("70000.00", 0, False),
        ("210.01", 3, True),
        ("69.00", 10, False),
    ],
)
def test_a_bill_waits_above_so_many_times(
    billed: Account, settings: Any, price: str, times: int, is_held: bool
) -> None:
    settings.BILL_HOLD_PRICE_TIMES = times
    reprice("cc-pro", price)
    assert len(reasons()) == is_held
    assert Invoice.objects.filter(month=APRIL).exists() is not is_held


def test_what_was_bought_on_purpose_is_no_jump(billed: Account, owner: User) -> None:
    reprice("cc-pro", "90.00", APRIL_10)
    april = datetime(2026, 4, 12, 12, tzinfo=UTC)
    buy(billed, owner, now=april, seats=5_000, storage="storage-1000", package="tf-225000")
    assert reasons() == []
    assert Invoice.objects.get(month=APRIL).total > 200_000


def test_going_live_is_no_jump(installed: Account, owner: User, member: User) -> None:
    buy(installed, owner, seats=2)
    assert bill().accounts == 1  # nothing owed
    reprice("cc-pro", "90.00", APRIL_10)
    activate(installed, by=member, reason="Ready", now=datetime(2026, 4, 20, 12, tzinfo=UTC))
    assert reasons() == []
    assert Invoice.objects.get(month=APRIL).total == Decimal("66.00")  # $90.00 × 2 × 11/30


def test_going_live_does_not_hide_a_jump(installed: Account, owner: User, member: User) -> None:
    buy(installed, owner, seats=2)
    assert bill().accounts == 1
    reprice("cc-pro", "7000.00", APRIL_10)
    activate(installed, by=member, reason="Ready", now=datetime(2026, 4, 20, 12, tzinfo=UTC))
    assert [words[:65] for words in reasons()] == ["Recurring charges of $5,133.33, which would be $51.33 at the pric"]


def test_the_first_bill_has_no_prices_to_compare_with(active: Account, owner: User) -> None:
    buy(active, owner, seats=2)
    reprice("cc-pro", "7000.00", date(2026, 3, 20))
    assert reasons(MARCH, IN_APRIL) == []


def test_an_item_that_had_no_price_counts_at_todays(billed: Account, owner: User) -> None:
    item = Item.objects.create(sku="addon-new", name="New", kind="addon")
    Price.objects.create(item=item, effective_from=APRIL, monthly_price=9_000)
    reprice("cc-pro", "71.00")
    buy(billed, owner, now=datetime(2026, 4, 1, 12, tzinfo=UTC), addons=frozenset({"addon-new"}))
    assert reasons() == []


def test_one_item_that_jumped_among_others_is_no_jump_of_the_bill(billed: Account, owner: User) -> None:
    buy(billed, owner, now=datetime(2026, 4, 1, 12, tzinfo=UTC), storage="storage-25")
    reprice("storage-25", "1000.00", date(2026, 4, 2))  # a hundred times as much, but in total $977.00 after $150.00
    assert reasons() == []


def test_prices_are_those_of_the_latest_month_that_was_billed(billed: Account) -> None:
    reprice("cc-pro", "7000.00", APRIL_10)
    assert reasons(MAY, IN_JUNE) == [
        "Recurring charges of $14,000.00, which would be $140.00 at the prices of March 31, 2026, "
        "the last day billed before."
    ]


def test_prices_that_were_billed_once_are_no_jump_afterwards(billed: Account, settings: Any) -> None:
    reprice("cc-pro", "7000.00", APRIL_10)
    settings.BILL_HOLD_PRICE_TIMES = 0
    assert reasons() == []
    settings.BILL_HOLD_PRICE_TIMES = 10
    reprice("storage-25", "11.00", date(2026, 5, 3))
    assert reasons(MAY, IN_JUNE) == []


def test_each_account_is_compared_with_its_own_last_month(billed: Account, customers: Customers, owner: User) -> None:
    later = customers(2)  # never billed before
    reprice("cc-pro", "7000.00", APRIL_10)
    summary = bill(APRIL, IN_MAY)
    assert summary.on_hold.keys() == {billed.pk}
    assert set(Invoice.objects.filter(month=APRIL).values_list("account", flat=True)) == {one.pk for one in later}


def test_a_package_that_had_no_rate_then_stops_no_bill(billed: Account, owner: User, customers: Customers) -> None:
    """Monthly prices are compared: minutes were never charged at the rate that was missing."""
    customers(1)
    package = Item.objects.create(sku="tf-77", name="77 minutes", kind="package", size=77)
    add = "INSERT INTO subscriptions_price (item_id, effective_from, monthly_price) VALUES (%s, '2026-01-01', 1)"
    sql(add, package.pk)
    reprice("tf-77", "50.00", per_minute="0.0400")
    buy(billed, owner, package="tf-77", now=datetime(2026, 4, 3, 12, tzinfo=UTC))
    outcome = bill(APRIL, IN_MAY)
    assert (outcome.accounts, outcome.on_hold, outcome.failed) == (2, {}, {})


def test_a_total_above_the_limit_waits(billed: Account, settings: Any) -> None:
    settings.BILL_HOLD_TOTAL_ABOVE = 140
    assert reasons() == []
    settings.BILL_HOLD_TOTAL_ABOVE = 1_399
    reprice("cc-pro", "700.00", date(2026, 5, 1))
    assert reasons(MAY, IN_JUNE) == ["The total of $1,400.00 is above $1,399.00."]


def test_every_reason_is_told(billed: Account, answered: PhoneNumber, settings: Any) -> None:
    called("april", minutes=100, at="2026-04-20T12:00:00-04:00")
    reprice("cc-pro", "7000.00")
    settings.BILL_HOLD_TOTAL_ABOVE, settings.BILL_HOLD_USAGE_ABOVE = 1_000, 1
    assert reasons() == [
        "The total of $14,004.50 is above $1,000.00. "
        "Recurring charges of $14,000.00, which would be $140.00 at the prices of March 31, 2026, "
        "the last day billed before. "
        "Usage of $4.50, after $0.00 on the last invoice with usage."
    ]


def test_one_query_more_once_a_price_changed(billed: Account) -> None:
    def queries() -> Sequence[Any]:
        with CaptureQueriesContext(connection) as captured:
            bill(APRIL, IN_MAY, dry_run=True)
        return captured.captured_queries

    before = len(queries())
    reprice("cc-pro", "71.00", MAY)  # not in the month that is billed
    assert len(queries()) == before
    reprice("tf-500", "18.00", APRIL, per_minute="0.0400")  # not a recurring price
    assert len(queries()) == before
    reprice("cc-pro", "71.00", APRIL)
    assert len(queries()) == before + 1


RATES = [Rate(date(2026, 1, 1), Decimal(70)), Rate(date(2026, 4, 10), Decimal(75)), Rate(date(2026, 5, 1), Decimal(75))]


@pytest.mark.parametrize(
    ("after", "end", "changes"),
    [
        (date(2026, 3, 31), MAY, True),
        (date(2026, 4, 9), APRIL_10, False),
        (APRIL_10, MAY, False),
        (APRIL_10, date(2026, 6, 1), False),  # to the same price
        (date(2025, 1, 1), APRIL, False),  # its first price
        (date(2025, 1, 1), MAY, True),
    ],
)
def test_a_price_changes_between_days(after: date, end: date, changes: bool) -> None:
    assert Tariff("cc-pro", "product", True, tuple(RATES)).changes_price(after, end) is changes


@pytest.mark.parametrize(
    ("day", "price"), [(date(2026, 3, 31), 70), (date(2026, 4, 9), 70), (APRIL_10, 75), (date(2030, 1, 1), 75)]
)
def test_an_item_at_the_price_of_a_day_costs_it_on_every_day(day: date, price: int) -> None:
    then = Tariff("cc-pro", "product", True, tuple(RATES)).priced_as_on(day)
    for first in (date(2020, 1, 1), APRIL, MAY):
        assert [rate.monthly_price for _, _, rate in then.rated(first, date(2031, 1, 1))] == [price]


def test_an_item_without_a_price_then_keeps_its_prices() -> None:
    tariff = Tariff("cc-pro", "product", True, tuple(RATES))
    assert tariff.priced_as_on(date(2025, 12, 31)) is tariff
