"""Monthly recurring charges: the SQL that sorts the worklist agrees with the Python that fills it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Account, User
from billing.inputs import inputs_of
from billing.inputs import tariffs as catalogue_of
from billing.models import CallRecord
from billing.previews.monthly_recurring import (
    minutes_so_far,
    minutes_to_sort_by,
    monthly_recurring,
    monthly_recurring_to_sort_by,
)
from core.past import writing_history
from onboarding.models import Onboarding
from subscriptions.actions import install
from subscriptions.models import Item, Price
from tests.billing.bills import buy, called, number_of
from tests.conftest import INSTALLED
from tests.guarding import settle, sql

ZONES = ("Pacific/Kiritimati", "Asia/Tokyo", "UTC", "America/New_York", "Pacific/Pago_Pago")
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
TURN = datetime(2026, 3, 31, 20, tzinfo=UTC)  # March in New York, April in Tokyo


@pytest.fixture
def many(make_account: Callable[..., Account], owner: User, catalogue: None) -> list[Account]:
    """Accounts that hold different things, in time zones that are in different months at TURN."""
    accounts = []
    for place, zone in enumerate(ZONES):
        account = make_account(f"30000{place}", owner=owner, timezone=zone)
        install(account, edition="cc-elite" if place % 2 else "cc-pro", by=owner, now=INSTALLED)
        channels = frozenset({"channel-voice", "channel-chat"} if place > 1 else {"channel-voice"})
        addons = frozenset({"addon-wfm"} if place > 2 else ())
        wanted = {"seats": place % 3, "channels": channels, "addons": addons, "storage": "storage-100"}
        buy(account, owner, now=INSTALLED + timedelta(days=3), **wanted)
        accounts.append(account)
    return accounts


def both(accounts: list[Account], now: datetime) -> tuple[dict[int, Decimal | None], dict[int, Decimal | None]]:
    """Return the value of each account as computed by Python, and as computed by SQL."""
    told = monthly_recurring({account: account.day_of(now) for account in accounts})
    rows = Onboarding.objects.annotate(recurring=monthly_recurring_to_sort_by(now)).values_list("account", "recurring")
    sorted_by = {key: None if recurring < 0 else recurring for key, recurring in rows}
    return {account.pk: told.get(account.pk) for account in accounts}, sorted_by


@pytest.mark.parametrize("now", [NOON, TURN], ids=["noon", "turn"])
def test_sql_and_python_agree(many: list[Account], now: datetime) -> None:
    told, sorted_by = both(many, now)
    assert told == sorted_by
    assert len(set(told.values())) >= 4
    assert min(told.values()) == Decimal("30.00")  # only storage is charged


@pytest.mark.parametrize("now", [NOON, TURN], ids=["noon", "turn"])
@pytest.mark.owner
def test_they_agree_where_prices_change_within_the_month(many: list[Account], now: datetime) -> None:
    before, _ = both(many, now)
    for sku, day, price in [
        ("cc-pro", date(2026, 4, 8), "77.77"),
        ("cc-pro", date(2026, 4, 20), "77.77"),  # the same price again, so it is one run of days
        ("cc-elite", date(2026, 4, 2), "99.99"),
        ("cc-elite", date(2026, 5, 17), "33.33"),
        ("channel-chat", date(2026, 5, 2), "1.01"),
        ("storage-100", date(2026, 4, 30), "31.01"),
    ]:
        with writing_history():
            Price.objects.create(item=Item.objects.get(sku=sku), effective_from=day, monthly_price=Decimal(price))
    told, sorted_by = both(many, now)
    assert told == sorted_by
    assert all(told[key] != before[key] for key in told)


@pytest.mark.parametrize("sku", ["cc-elite", "channel-chat", "storage-100", "tf-payperuse"])
@pytest.mark.owner
def test_what_has_no_price_has_no_value(sku: str, many: list[Account]) -> None:
    settle()
    sql("ALTER TABLE subscriptions_price DISABLE TRIGGER price_in_effect_is_final")
    Price.objects.filter(item__sku=sku).delete()
    late = Price(item=Item.objects.get(sku=sku), effective_from=date(2026, 4, 5), monthly_price=Decimal(5))
    late.per_minute = Decimal("0.05") if sku.startswith("tf") else None
    late.save()
    told, sorted_by = both(many, NOON)
    assert told == sorted_by
    assert None in told.values()


def test_fewer_seats_on_the_last_day_of_a_month_are_the_value_from_the_first(
    make_account: Callable[..., Account], owner: User, catalogue: None
) -> None:
    account = make_account("300009", owner=owner)
    install(account, edition="cc-pro", by=owner, now=INSTALLED)
    buy(account, owner, now=INSTALLED + timedelta(days=1), seats=2)
    last = datetime(2026, 3, 31, 16, tzinfo=UTC)
    buy(account, owner, now=last, seats=1)  # counts from April 1 on
    told, sorted_by = both([account], last)
    assert told == sorted_by == {account.pk: Decimal("70.00")}


def test_minutes_so_far_agree_too(many: list[Account], owner: User) -> None:
    number_of(many[1], "+18005550177", by=owner)
    called("c1", minutes=7, to="+18005550177")
    called("c2", minutes=5, to="+18005550177", at="2026-04-02T12:00:00+00:00")
    assert CallRecord.objects.charged().count() == 2
    assert minutes_so_far([account.pk for account in many]) == {many[1].pk: 12}
    rows = Onboarding.objects.annotate(used=minutes_to_sort_by()).values_list("account", "used")
    assert dict(rows) == {account.pk: 12 * (account == many[1]) for account in many}


def test_inputs_of_accounts_far_apart_are_those_of_accounts_nearby(many: list[Account]) -> None:
    month, catalogue = date(2026, 3, 1), catalogue_of()
    near = inputs_of([account.pk for account in many], month, catalogue)
    alone = inputs_of([many[0].pk, many[0].pk + 10_000_000], month, catalogue)
    assert alone == {many[0].pk: near[many[0].pk]}
    assert near[many[3].pk].held
