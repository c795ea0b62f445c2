"""Fixtures and helpers for tests of billing: tariffs, rows of the ledger, and accounts with numbers and seats."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest

from accounts.models import Account, PhoneNumber, User
from billing.pricing.charges import Held, Rate, Tariff
from subscriptions.actions import assign_number, install
from subscriptions.kinds import ORDER_ON_BILL
from subscriptions.models import Holding, Item
from tests.billing.bills import Customers, buy, customer
from tests.billing.call_files import NUMBER
from tests.conftest import INSTALLED
from tests.remembering import remember, remembered


def tariffs() -> dict[int, Tariff]:
    """Return the catalog in the database as tariffs, by item key."""
    return {
        item.pk: Tariff(
            sku=item.sku,
            kind=item.kind,
            per_seat=item.is_per_seat,
            minutes=item.size if item.kind == "package" else 0,
            order=ORDER_ON_BILL[item.kind],
            rates=tuple(Rate(p.effective_from, p.monthly_price, p.per_minute) for p in item.prices.all()),
        )
        for item in Item.objects.prefetch_related("prices")
    }


def held_rows(account: Account) -> list[Held]:
    """Return the account's current rows of the ledger."""
    by_key = tariffs()
    return [
        Held(by_key[row.item_id], row.quantity, row.period.lower, row.period.upper)
        for row in Holding.objects.valid().filter(account=account)
    ]


def tariff(
    sku: str, kind: str, price: str, *, per_seat: bool = False, minutes: int = 0, rate: str | None = None
) -> Tariff:
    """Return a tariff with one price, in effect since 2020."""
    first = Rate(date(2020, 1, 1), Decimal(price), None if rate is None else Decimal(rate))
    return Tariff(sku, kind, per_seat, (first,), minutes, ORDER_ON_BILL[kind])


def priced_anew(tariff: Tariff, on: date, price: str, rate: str | None = None) -> Tariff:
    """Return the tariff with another price from a day on."""
    new = Rate(on, Decimal(price), None if rate is None else Decimal(rate))
    return Tariff(tariff.sku, tariff.kind, tariff.per_seat, (*tariff.rates, new), tariff.minutes, tariff.order)


@pytest.fixture
@remembered
def answered(installed: Account, owner: User, toll_free: PhoneNumber) -> PhoneNumber:
    """The account's toll-free number, assigned since Contact Center was installed."""
    Account.objects.filter(pk=installed.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assign_number(installed, toll_free, by=owner, now=INSTALLED)
    return toll_free


@pytest.fixture
@remembered
def called(make_account: Callable[..., Account], owner: User, catalogue: None) -> PhoneNumber:
    """A toll-free number of an account made for it, which most rows call."""
    account = make_account("100006", owner=owner)
    Account.objects.filter(pk=account.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    install(account, edition="cc-pro", by=owner, now=INSTALLED)
    number = PhoneNumber.objects.create(account=account, number=NUMBER)
    assign_number(account, number, by=owner, now=INSTALLED)
    return number


@pytest.fixture
@remembered
def charged(active: Account, owner: User) -> Account:
    """An account that was activated on March 16, 2026, and has held a seat since."""
    buy(active, owner, seats=1)
    return active


@pytest.fixture
def customers(catalogue: None, make_account: Callable[..., Account], owner: User, member: User) -> Customers:
    """A function that makes accounts, each activated on March 16, 2026, with one seat more than the one before."""

    def make(place: int) -> Account:
        account = make_account(f"20000{place}", owner=owner)
        customer(account, by=owner, team=member, seats=place)
        return account

    by = {"owner": owner, "member": member}

    def make_all(count: int) -> list[Account]:
        return [remember(f"customer {place}", partial(make, place), by) for place in range(1, count + 1)]

    return make_all
