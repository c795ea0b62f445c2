"""I26: a change of a subscription leaves the days before it as they were, and is the account's own."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from accounts.models import Account, User
from subscriptions.models import Holding, SubscriptionChange
from tests.billing.bills import buy
from tests.billing.conftest import charged
from tests.guarding import INSERTS, named, refused_by, settle, sql

__all__ = ["charged"]

EXERCISED = {"ledger_keeps_the_past", "superseded_by_its_own"}
LATER = datetime(2026, 5, 20, 16, tzinfo=UTC)
Insert = Callable[[Holding], None]


@pytest.fixture
def seats(charged: Account) -> Holding:
    """The account's seat, held since March 16, 2026."""
    settle()
    return Holding.objects.open().get(account=charged, slot=-1)


def change_of(account: Account, by: User) -> SubscriptionChange:
    """Return a change of May 20, 2026, that has written nothing yet, forged with SQL."""
    [(key,)] = sql(
        "INSERT INTO subscriptions_change (account_id, version, by_id, at, day) "
        "VALUES (%s, 99, %s, %s, '2026-05-20') RETURNING id",
        account.pk,
        by.pk,
        LATER,
    )
    return SubscriptionChange.objects.get(pk=key)


def row(seats: Holding, change: SubscriptionChange, first: date, end: date | None, quantity: int = 1) -> Holding:
    return Holding(
        account=seats.account,
        item=seats.item,
        slot=seats.slot,
        quantity=quantity,
        period=type(seats.period)(first, end),
        change=change,
    )


def supersede(row: Holding, change: SubscriptionChange) -> None:
    sql("UPDATE subscriptions_holding SET superseded_by_id = %s WHERE id = %s", change.pk, row.pk)


def test_no_row_is_superseded_by_another_accounts_change(
    seats: Holding, make_account: Callable[..., Account], owner: User
) -> None:
    other = make_account("100002", owner=owner)
    with refused_by("superseded_by_its_own"):
        supersede(seats, change_of(other, owner))
        settle()


def test_what_is_superseded_is_written_again(seats: Holding, owner: User) -> None:
    with refused_by("superseded_by_its_own"):
        supersede(seats, change_of(seats.account, owner))
        settle()
    change = change_of(seats.account, owner)
    supersede(seats, change)
    row(seats, change, seats.period.lower, change.day).save()
    row(seats, change, change.day, None, quantity=5).save()
    settle()


@pytest.mark.parametrize("way", INSERTS[:4], ids=named)
@pytest.mark.parametrize("quantity", [2, 0], ids=["more", "for fewer days"])
def test_the_past_is_not_written_otherwise(seats: Holding, owner: User, way: Insert, quantity: int) -> None:
    change = change_of(seats.account, owner)
    end = change.day if quantity else date(2026, 5, 1)
    with refused_by("ledger_keeps_the_past"):
        supersede(seats, change)
        way(row(seats, change, seats.period.lower, end, quantity or 1))


@pytest.mark.parametrize("way", INSERTS[:4], ids=named)
def test_no_days_are_added_to_the_past(seats: Holding, owner: User, way: Insert) -> None:
    change = change_of(seats.account, owner)
    with refused_by("ledger_keeps_the_past"):
        way(row(seats, change, date(2026, 3, 6), date(2026, 3, 10)))


@pytest.mark.parametrize("way", INSERTS[:4], ids=named)
def test_a_row_is_of_its_own_accounts_change(
    seats: Holding, owner: User, make_account: Callable[..., Account], way: Insert
) -> None:
    change = change_of(make_account("100002", owner=owner), owner)
    own = change_of(seats.account, owner)
    with refused_by("ledger_keeps_the_past"):
        supersede(seats, own)
        way(row(seats, change, change.day, None))


def test_purchases_write_the_past_again(charged: Account, owner: User) -> None:
    for day, count in ((10, 3), (10, 2), (12, 6), (20, 1)):
        buy(charged, owner, seats=count, now=datetime(2026, 6, day, 16, tzinfo=UTC))
        settle()
