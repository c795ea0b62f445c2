"""The database's guards on the ledger and on prices: periods never overlap (I13), and past days never change."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Event
from time import sleep
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.models import Account, User
from core.clock import database_now
from core.past import writing_history
from subscriptions.models import Holding, Item, Price, Slot, SubscriptionChange
from subscriptions.sale import first_day_of_a_new_price
from tests.guarding import INSERTS, UPDATES, by_upsert, load_fixture, named, nothing_written, refused_by, sql
from tests.racing import at_once
from tests.subscriptions.test_change import buy

EXERCISED = {"subscriptions_holding_is_final", "price_in_effect_is_final", "price_starts_later"}
DAYS = [date(2026, 4, day) for day in range(1, 29)]


@pytest.fixture
def held(active: Account) -> Holding:
    """A closed row of the ledger, from April 10 until April 20, 2026."""
    return Holding.objects.create(
        account=active,
        item=Item.objects.get(sku="cc-pro"),
        slot=Slot.PRODUCT,
        quantity=5,
        period=DateRange(DAYS[9], DAYS[19]),
        change=SubscriptionChange.objects.latest("version"),
    )


def beside(row: Holding, start: date | None, end: date | None) -> Holding:
    """Return an unsaved row for the same slot of the ledger, in another period."""
    return Holding(
        account_id=row.account_id,
        item_id=row.item_id,
        slot=row.slot,
        quantity=1,
        period=DateRange(start, end),
        change_id=row.change_id,
    )


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize(
    ("start", "end"), [(9, 19), (0, 10), (18, 25), (5, 25), (12, 13), (0, None), (12, None)], ids=str
)
def test_periods_in_a_place_never_overlap(
    held: Holding, way: Callable[[Any], None], start: int, end: int | None
) -> None:
    with refused_by("holdings_never_overlap"):
        way(beside(held, DAYS[start], None if end is None else DAYS[end]))


def test_periods_may_touch(held: Holding) -> None:
    beside(held, DAYS[0], held.period.lower).save()
    beside(held, held.period.upper, None).save()
    assert Holding.objects.filter(slot=Slot.PRODUCT).count() == 3


def test_nothing_is_held_twice_from_now_on(held: Holding) -> None:
    beside(held, DAYS[22], None).save()
    with refused_by("holdings_never_overlap"):
        beside(held, DAYS[27], None).save()


@pytest.mark.parametrize(("start", "end"), [(None, 5), (None, None), (3, 3)], ids=str)
def test_a_period_starts_before_it_ends(held: Holding, start: int | None, end: int | None) -> None:
    with refused_by("holding_has_a_period"):
        beside(held, start and DAYS[start], end and DAYS[end]).save()


@pytest.mark.parametrize(
    "field",
    [
        {"quantity": 1},
        {"period": DateRange(DAYS[9], DAYS[11])},
        {"slot": Slot.STORAGE},
        {"superseded_by": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("way", [way for way in UPDATES if way.__name__ != "by_history_revert"], ids=named)
def test_a_row_of_the_ledger_never_changes(held: Holding, way: Callable[..., None], field: dict[str, Any]) -> None:
    # An upsert is an INSERT first, whose slot must be that of its item.
    with refused_by("subscriptions_holding_is_final", *["onboarding_ledger_limit"] * (way is by_upsert)):
        way(held, **field)


def test_a_row_is_superseded_once_and_never_valid_again(held: Holding, owner: User) -> None:
    buy(held.account, owner, seats=1, now=datetime(2026, 4, 15, 12, tzinfo=UTC))
    held.refresh_from_db()
    first, last = SubscriptionChange.objects.earliest("version"), SubscriptionChange.objects.latest("version")
    assert held.superseded_by == last
    for other in (None, first.pk):
        with refused_by("subscriptions_holding_is_final"):
            Holding.objects.filter(pk=held.pk).update(superseded_by=other)


def test_a_row_of_the_ledger_is_never_deleted(held: Holding) -> None:
    for attack in (
        held.delete,
        Holding.objects.all().delete,
        lambda: sql("DELETE FROM subscriptions_holding"),
        lambda: sql("UPDATE subscriptions_holding SET id = id + 100000"),
    ):
        with refused_by("subscriptions_holding_is_final"):
            attack()


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize(
    "field",
    [{"monthly_price": Decimal("0.01")}, {"per_minute": Decimal("0.0001")}, {"effective_from": date(2026, 2, 1)}],
    ids=str,
)
def test_a_price_in_effect_never_changes(catalogue: None, way: Callable[..., None], field: dict[str, Any]) -> None:
    with refused_by("price_in_effect_is_final"):
        way(Price.objects.get(item__sku="tf-500"), **field)


def test_a_price_in_effect_is_never_deleted_nor_its_key_changed(catalogue: None) -> None:
    price = Price.objects.get(item__sku="cc-pro")
    for attack in (
        price.delete,
        Price.objects.all().delete,
        lambda: sql("DELETE FROM subscriptions_price"),
        lambda: Price.objects.filter(pk=price.pk).update(id=price.pk + 100_000),
    ):
        with refused_by("price_in_effect_is_final"):
            attack()


def today() -> date:
    """Return the current day at UTC+14, where days begin first."""
    return first_day_of_a_new_price(database_now()) - timedelta(days=1)


@pytest.fixture
def coming(catalogue: None) -> Price:
    """A price that takes effect in a month."""
    day = (database_now() + timedelta(days=30)).date()
    return Price.objects.create(item=Item.objects.get(sku="cc-pro"), effective_from=day, monthly_price=80)


def test_a_price_to_come_may_change_and_be_taken_back(coming: Price) -> None:
    coming.monthly_price = Decimal("82.00")
    coming.save()
    coming.delete()
    assert not Price.objects.filter(monthly_price__gte=80, item__sku="cc-pro").exists()


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_a_price_to_come_is_not_moved_into_the_past(coming: Price, way: Callable[..., None]) -> None:
    # An upsert is an INSERT first.
    with refused_by("price_in_effect_is_final", *["price_starts_later"] * (way is by_upsert)):
        way(coming, effective_from=date(2026, 2, 1))


def test_the_day_of_a_price_is_told_by_the_clock_of_the_database(coming: Price) -> None:
    with time_machine.travel(datetime(2020, 1, 1, tzinfo=UTC)), refused_by("price_in_effect_is_final"):
        Price.objects.exclude(pk=coming.pk).update(monthly_price=1)


def test_an_item_has_one_price_a_day(coming: Price) -> None:
    with refused_by("one_price_a_day"):
        load_fixture(Price(item=coming.item, effective_from=coming.effective_from, monthly_price=1))


@pytest.mark.parametrize("field", ["monthly_price", "per_minute"])
@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_a_price_is_not_negative(catalogue: None, way: Callable[[Any], None], field: str) -> None:
    prices = {"monthly_price": Decimal(1), field: Decimal(-1)}
    with refused_by("price_is_not_negative"):
        way(Price(item=Item.objects.get(sku="tf-500"), effective_from=today() + timedelta(days=30), **prices))


def a_price(sku: str, day: date) -> Price:
    per_minute = Decimal("0.01") if sku.startswith("tf") else None
    return Price(item=Item.objects.get(sku=sku), effective_from=day, monthly_price=1, per_minute=per_minute)


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize(("sku", "days_ago"), [("cc-pro", 0), ("cc-pro", 1), ("tf-500", 100), ("storage-25", 0)])
def test_no_price_is_added_for_a_day_that_has_begun(
    catalogue: None, way: Callable[[Any], None], sku: str, days_ago: int
) -> None:
    with refused_by("price_starts_later"):
        way(a_price(sku, today() - timedelta(days=days_ago)))


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_a_price_that_nobody_paid_yet_is_added(catalogue: None, way: Callable[[Any], None]) -> None:
    way(a_price("cc-pro", today() + timedelta(days=1)))
    way(a_price("cc-pro", Price.objects.earliest("effective_from").effective_from - timedelta(days=1)))
    assert Price.objects.filter(item__sku="cc-pro").count() == 3


def test_two_prices_of_a_new_item_are_not_both_of_the_past(catalogue: None) -> None:
    item = Item.objects.create(sku="addon-new", name="New", kind="addon")
    prices = [Price(item=item, effective_from=today() - timedelta(days=ago), monthly_price=1) for ago in (9, 3)]
    with refused_by("price_starts_later"):
        Price.objects.bulk_create(prices)
    with refused_by("price_starts_later"):
        prices[0].save()
        prices[1].save()


def test_the_day_that_has_begun_is_told_by_the_clock_of_the_database(catalogue: None) -> None:
    with time_machine.travel(datetime(2020, 1, 1, tzinfo=UTC)), refused_by("price_starts_later"):
        a_price("cc-pro", today()).save()


def test_only_who_writes_history_adds_a_price_for_the_past(catalogue: None) -> None:
    with writing_history():
        a_price("cc-pro", date(2026, 2, 1)).save()
        with refused_by("price_in_effect_is_final"):
            Price.objects.filter(effective_from=date(2026, 2, 1)).update(monthly_price=2)
    with refused_by("price_starts_later"):
        a_price("cc-pro", date(2026, 2, 2)).save()


@pytest.mark.django_db(transaction=True)
def test_a_first_price_waits_for_another_that_is_not_committed_yet(catalogue: None) -> None:
    """Either of the two alone would be allowed, since the item had no price."""
    item = Item.objects.create(sku="addon-new", name="New", kind="addon")
    is_added = Event()

    def add(number: int) -> None:
        with transaction.atomic():
            if number == 1:
                is_added.wait(10)
            day = today() - timedelta(days=9 - number)
            Price.objects.create(item_id=item.pk, effective_from=day, monthly_price=1)
            is_added.set()
            sleep(0.5 * (number == 0))

    outcomes = at_once(2, add)
    assert [type(one) for one in outcomes] == [type(None), IntegrityError]
    assert item.prices.get().effective_from == today() - timedelta(days=9)


def test_a_version_is_counted_once(held: Holding, owner: User) -> None:
    with refused_by("one_change_a_version"):
        SubscriptionChange.objects.create(
            account=held.account, version=0, by=owner, at=datetime(2026, 4, 1, tzinfo=UTC)
        )


def test_a_confirmation_is_stored_once(held: Holding, owner: User) -> None:
    key = "00000000-0000-0000-0000-000000000001"
    at = datetime(2026, 4, 1, tzinfo=UTC)
    SubscriptionChange.objects.create(account=held.account, version=1, by=owner, at=at, confirmation=key)
    with nothing_written(), pytest.raises(IntegrityError, match="confirmation"), transaction.atomic():
        SubscriptionChange.objects.create(account=held.account, version=2, by=owner, at=at, confirmation=key)
