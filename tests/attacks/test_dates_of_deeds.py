"""I26: what decides what is owed is dated when it is made, whoever writes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import Account, User
from core.clock import database_now
from core.past import writing_history
from onboarding.models import Onboarding
from subscriptions.models import Holding, Item, Price, SubscriptionChange
from tests.billing.bills import buy
from tests.billing.conftest import charged
from tests.guarding import INSERTS, named, refused_by, settle, sql

__all__ = ["charged"]

EXERCISED = {
    "onboarding_activation_is_final",
    "change_day_is_decided",
    "ledger_keeps_the_past",
    "superseded_by_its_own",
    "price_starts_later",
}
MINUTES = [-10_000, -11, 11, 10_000]


@pytest.fixture
def in_production(db: None) -> None:
    """In the tests' database, guards about time allow what is dated otherwise, unless a transaction refuses it."""
    settle()
    sql("SET LOCAL guards.clock = 'refused'")


def activate(account: Account, by: User, at: datetime) -> None:
    sql(
        "UPDATE onboarding_onboarding SET activated_at = %s, activated_by_id = %s, activated_from = 'admin', "
        "reason = 'Live' WHERE account_id = %s",
        at, by.pk, account.pk,
    )  # fmt: skip


@pytest.mark.parametrize("minutes", MINUTES)
def test_an_activation_is_not_dated_otherwise(
    installed: Account, member: User, minutes: int, in_production: None
) -> None:
    with refused_by("onboarding_activation_is_final"):
        activate(installed, member, database_now() + timedelta(minutes=minutes))
    activate(installed, member, database_now() - timedelta(minutes=9))
    assert Onboarding.objects.get(account=installed).is_active


@pytest.mark.parametrize("minutes", MINUTES)
@pytest.mark.parametrize("way", INSERTS[:4], ids=named)
def test_a_change_is_not_dated_otherwise(
    charged: Account, owner: User, minutes: int, way: Callable[..., None], in_production: None
) -> None:
    at = database_now() + timedelta(minutes=minutes)
    change = SubscriptionChange(account=charged, version=99, by=owner, at=at, day=charged.day_of(at))
    with refused_by("change_day_is_decided"):
        way(change)


@pytest.fixture
def old(charged: Account, owner: User) -> SubscriptionChange:
    """The account's last change, made some months ago. It added seats."""
    buy(charged, owner, seats=5, now=datetime(2026, 4, 20, 16, tzinfo=UTC))
    return SubscriptionChange.objects.filter(account=charged).latest("version")


def row_of(change: SubscriptionChange, slot: int, period: tuple[date, date | None]) -> Holding:
    item = Item.objects.get(sku="addon-crm")
    some = Holding.objects.filter(account=change.account_id).first()
    assert some is not None
    days = type(some.period)(*period)
    return Holding(account=change.account, item=item, slot=item.pk, quantity=1, period=days, change=change)


@pytest.mark.parametrize("way", INSERTS[:4], ids=named)
def test_an_old_change_writes_nothing_more(
    old: SubscriptionChange, way: Callable[..., None], in_production: None
) -> None:
    with refused_by("ledger_keeps_the_past"):
        way(row_of(old, 1, (old.day, None)))


def test_a_change_that_has_a_successor_writes_nothing_more(charged: Account, owner: User) -> None:
    """Not even at the moment both are made."""
    buy(charged, owner, seats=5, now=datetime(2026, 4, 20, 16, tzinfo=UTC))
    first = SubscriptionChange.objects.filter(account=charged).latest("version")
    buy(charged, owner, seats=6, now=datetime(2026, 4, 20, 16, tzinfo=UTC))
    settle()
    with refused_by("ledger_keeps_the_past"):
        row_of(first, 1, (first.day, None)).save()


def test_an_old_change_supersedes_nothing_more(old: SubscriptionChange, in_production: None) -> None:
    """Its own rows would vanish, and with them what is owed from its day on."""
    with refused_by("superseded_by_its_own"):
        sql("UPDATE subscriptions_holding SET superseded_by_id = change_id WHERE change_id = %s", old.pk)
        settle()
    earlier = Holding.objects.filter(account=old.account_id, superseded_by=None).exclude(change=old).first()
    assert earlier is not None
    with refused_by("superseded_by_its_own"):
        sql("UPDATE subscriptions_holding SET superseded_by_id = %s WHERE id = %s", old.pk, earlier.pk)
        settle()


def test_prices_go_by_the_clock_and_not_by_the_begin_of_the_transaction(db: None) -> None:
    """A transaction that was left open for days would else set a price for the days since."""
    for body in sql("SELECT prosrc FROM pg_proc WHERE proname IN ('price_starts_later', 'price_in_effect_is_final')"):
        assert "clock_timestamp()" in body[0]
        assert " now()" not in body[0]


@contextmanager
def as_stranger() -> Iterator[None]:
    """Run the block as a role that may write every table, but doesn't own them."""
    sql("CREATE ROLE stranger NOLOGIN")
    sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO stranger")
    sql("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO stranger")
    sql("SET LOCAL ROLE stranger")
    yield
    sql("RESET ROLE")


def test_only_the_owner_of_the_tables_writes_history(installed: Account, member: User, in_production: None) -> None:
    with as_stranger(), writing_history(), refused_by("onboarding_activation_is_final"):
        activate(installed, member, datetime(2026, 3, 20, 12, tzinfo=UTC))
    with writing_history():
        activate(installed, member, datetime(2026, 3, 20, 12, tzinfo=UTC))
    assert Onboarding.objects.get(account=installed).activated_on == date(2026, 3, 20)


def test_prices_of_the_past_are_for_the_owner_alone_too(catalogue: None, in_production: None) -> None:
    item = Item.objects.get(sku="storage-25")
    yesterday = Price(item=item, effective_from=database_now().date() - timedelta(days=1), monthly_price=1)
    with as_stranger(), refused_by("price_starts_later"):
        yesterday.save()
