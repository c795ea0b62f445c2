"""What ends at the very first instant of a day doesn't count as held on that day (billing policy 3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import Account, User
from subscriptions.actions import change_subscription
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.models import Holding, Slot

MIDNIGHT = datetime(2026, 3, 20, 4, tzinfo=UTC)  # in the account's time zone, New York


def buy(account: Account, by: User, now: datetime, **wanted: object) -> None:
    change_subscription(account, replace(held_by(contact_center_of(account)), **wanted), by=by, now=now)


def ends(account: Account, sku: str) -> list[date | None]:
    return [row.period.upper for row in Holding.objects.valid().filter(account=account, item__sku=sku)]


def reduce_everything(account: Account, by: User, now: datetime) -> None:
    earlier = now - timedelta(days=2)
    buy(account, by, earlier, seats=9, addons=frozenset({"addon-crm"}), storage="storage-100", package="tf-500")
    buy(account, by, now, seats=2, addons=frozenset(), storage="storage-5", package="tf-payperuse")


def test_a_reduction_at_midnight_counts_from_that_day(active: Account, owner: User) -> None:
    reduce_everything(active, owner, MIDNIGHT)
    assert ends(active, "addon-crm") == [date(2026, 3, 20)]
    assert ends(active, "storage-100") == [date(2026, 3, 20)]
    assert Holding.objects.on(date(2026, 3, 20)).get(account=active, slot=Slot.PRODUCT).quantity == 2


def test_a_reduction_a_moment_later_counts_from_the_next_day(active: Account, owner: User) -> None:
    reduce_everything(active, owner, MIDNIGHT + timedelta(microseconds=1))
    assert ends(active, "addon-crm") == [date(2026, 3, 21)]
    assert ends(active, "storage-100") == [date(2026, 3, 21)]
    assert Holding.objects.on(date(2026, 3, 20)).get(account=active, slot=Slot.PRODUCT).quantity == 9


@pytest.mark.parametrize("now", [MIDNIGHT, datetime(2026, 4, 1, 4, tzinfo=UTC)])
def test_a_smaller_package_waits_for_the_first_of_the_next_month_even_at_midnight(
    active: Account, owner: User, now: datetime
) -> None:
    reduce_everything(active, owner, now)
    assert ends(active, "tf-500") == [date(2026, now.month + 1, 1)]


def test_a_day_may_begin_at_another_hour_or_have_two_midnights(make_account: Callable[..., Account]) -> None:
    cairo = make_account("100002", timezone="Africa/Cairo")
    one_o_clock = datetime(2026, 4, 23, 22, tzinfo=UTC)  # in Cairo, 00:00 to 00:59 on April 24 are skipped
    assert cairo.begins_day(one_o_clock)
    havana = make_account("100003", timezone="America/Havana")
    first_midnight, second_midnight = datetime(2024, 11, 3, 4, tzinfo=UTC), datetime(2024, 11, 3, 5, tzinfo=UTC)
    assert [moment.astimezone(havana.zone).hour for moment in (first_midnight, second_midnight)] == [0, 0]
    assert havana.begins_day(first_midnight)
    assert not havana.begins_day(second_midnight)
