"""The catalog in the admin: prices in effect are final, items stay what they are, and what is held is read-only."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from core.clock import database_now
from subscriptions.held import held_by_accounts
from subscriptions.models import ContactCenter, Item, Price
from subscriptions.sale import first_day_of_a_new_price


def address(item: Item) -> str:
    return reverse("admin:subscriptions_item_change", args=[item.pk])


def prices(*rows: dict[str, object], initial: int = 0, **item: object) -> dict[str, object]:
    """Return the form of the item's page with these future prices, the first `initial` of which already exist."""
    form: dict[str, object] = {
        "prices-TOTAL_FORMS": len(rows),
        "prices-INITIAL_FORMS": initial,
        "prices-2-TOTAL_FORMS": 0,
        "prices-2-INITIAL_FORMS": 0,
        **item,
    }
    for number, row in enumerate(rows):
        form |= {f"prices-{number}-{name}": value for name, value in row.items()}
    return form


def tomorrow() -> date:
    return first_day_of_a_new_price(database_now())


@pytest.fixture
def seats(catalogue: None) -> Item:
    return Item.objects.get(sku="cc-pro")


@pytest.fixture
def as_biller(biller: User, client: Client) -> Client:
    client.force_login(biller)
    return client


@pytest.fixture
def as_root(make_user: Callable[..., User], client: Client) -> Client:
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    return client


def test_the_billing_team_sets_a_price_to_come(seats: Item, biller: User, as_biller: Client) -> None:
    answer = as_biller.post(address(seats), prices({"effective_from": tomorrow(), "monthly_price": "75.50"}))
    assert answer.status_code == 302
    made = seats.prices.latest("effective_from")
    assert (made.effective_from, made.monthly_price) == (tomorrow(), Decimal("75.50"))
    assert made.history.get().history_user == biller
    assert seats.history.count() == 1
    row = {"id": made.pk, "item": seats.pk, "effective_from": tomorrow() + timedelta(days=9), "monthly_price": "80"}
    assert as_biller.post(address(seats), prices(row, initial=1)).status_code == 302
    made.refresh_from_db()
    assert (made.effective_from, made.monthly_price) == (tomorrow() + timedelta(days=9), 80)
    assert as_biller.post(address(seats), prices({**row, "DELETE": "on"}, initial=1)).status_code == 302
    assert not Price.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"effective_from": "2026-02-01"}, "and Contact Center Pro already had a price then"),
        ({"effective_from": "today"}, "has begun and Contact Center Pro already had a price then"),
        ({"monthly_price": "-1"}, "greater than or equal to 0"),
        ({"monthly_price": "1e400"}, "no more than"),
        ({"monthly_price": "NaN"}, "Enter a number"),
        ({"per_minute": "0.01"}, "other items have none"),
        ({"effective_from": "tomorrow, not a day"}, "Enter a valid date"),
        ({"effective_from": "9999-12-32"}, "Enter a valid date"),
    ],
)
def test_a_price_that_can_not_be_is_refused_at_its_field(
    row: dict[str, str], said: str, seats: Item, as_root: Client
) -> None:
    if row.get("effective_from") == "today":
        row = {"effective_from": str(database_now().date())}
    form = prices({"effective_from": tomorrow(), "monthly_price": "75", **row}, name=seats.name)
    answer = as_root.post(address(seats), form)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert seats.prices.count() == 1


def test_a_second_price_from_the_same_day_is_refused(seats: Item, as_root: Client) -> None:
    row = {"effective_from": tomorrow(), "monthly_price": "75"}
    answer = as_root.post(address(seats), prices(row, row, name=seats.name))
    assert answer.status_code == 200
    assert seats.prices.count() == 1
    assert as_root.post(address(seats), prices(row, name=seats.name)).status_code == 302
    answer = as_root.post(address(seats), prices(row, name=seats.name))
    assert "The item already has a price from this day." in answer.content.decode()
    assert seats.prices.count() == 2


def test_a_price_in_effect_is_neither_changed_nor_deleted(seats: Item, as_root: Client) -> None:
    old = seats.prices.get()
    row = {"id": old.pk, "item": seats.pk, "effective_from": tomorrow(), "monthly_price": "1"}
    for forged in (row, {**row, "DELETE": "on"}):
        as_root.post(address(seats), prices(forged, initial=1, name=seats.name))
        swapped = {name.replace("prices-", "prices-2-", 1): value for name, value in prices(forged, initial=1).items()}
        as_root.post(address(seats), {**prices(name=seats.name), **swapped})
    for name in ("change", "delete"):
        there = reverse(f"admin:subscriptions_price_{name}", args=[old.pk])
        assert as_root.post(there, {**row, "post": "yes"}).status_code == 403
    assert list(seats.prices.values()) == [Price.objects.filter(pk=old.pk).values().get()]
    old.refresh_from_db()
    assert old.monthly_price == 70


def test_what_an_item_is_never_changes_its_name_may(seats: Item, as_root: Client) -> None:
    forged = {"sku": "mine", "kind": "addon", "charged_per": "account", "size": 5, "held_at_install": "on"}
    before = Item.objects.filter(pk=seats.pk).values("sku", "kind", "charged_per", "size", "held_at_install").get()
    assert as_root.post(address(seats), prices(name="Contact Center Pro 2", **forged)).status_code == 302
    seats.refresh_from_db()
    assert seats.name == "Contact Center Pro 2"
    assert Item.objects.filter(pk=seats.pk).values(*before).get() == before
    delete = reverse("admin:subscriptions_item_delete", args=[seats.pk])
    assert as_root.post(delete, {"post": "yes"}).status_code == 403


def test_the_billing_team_changes_no_item(seats: Item, as_biller: Client) -> None:
    as_biller.post(address(seats), prices(name="Forged", only_for="cc-elite"))
    seats.refresh_from_db()
    assert (seats.name, seats.only_for) == ("Contact Center Pro", [])
    assert as_biller.post(reverse("admin:subscriptions_item_add"), prices(name="Forged")).status_code == 403


@pytest.mark.parametrize("who", ["member", "supporter"])
def test_others_set_no_prices(who: str, seats: Item, client: Client, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(address(seats)).status_code == 200
    row = {"effective_from": tomorrow(), "monthly_price": "1"}
    assert client.post(address(seats), prices(row)).status_code == 403
    assert seats.prices.count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "package", "size": 500}, "There is already an item of this size on sale."),
        ({"kind": "storage", "size": 7, "held_at_install": "on"}, "There is already a default storage or package."),
        ({"kind": "addon", "size": 7}, "Only storage and toll-free packages have a size."),
        ({"kind": "product"}, "A product is charged per seat, and is not held at install."),
        ({"sku": "cc-pro"}, "already exists"),
        ({"only_for": "cc-nothing"}, "Not the SKU of a product: cc-nothing."),
        ({"size": 2**40}, "less than or equal to"),
    ],
)
def test_an_item_that_can_not_be_is_refused_in_words(
    fields: dict[str, object], said: str, catalogue: None, as_root: Client
) -> None:
    item = {"name": "New", "sku": "new", "kind": "addon", "charged_per": "account", "size": 0, **fields}
    answer = as_root.post(reverse("admin:subscriptions_item_add"), prices(**item))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Item.objects.filter(name="New").exists()


def test_a_new_item_is_added_with_its_price(catalogue: None, as_root: Client) -> None:
    item = {"name": "New", "sku": "new", "kind": "addon", "charged_per": "account", "size": 0, "only_for": "cc-elite"}
    row = {"effective_from": tomorrow(), "monthly_price": "5"}
    assert as_root.post(reverse("admin:subscriptions_item_add"), prices(row, **item)).status_code == 302
    made = Item.objects.get(sku="new")
    assert (made.only_for, made.prices.get().monthly_price) == (["cc-elite"], 5)


def test_a_new_item_is_sold_today_and_has_one_price_that_has_begun(catalogue: None, as_root: Client) -> None:
    item = {"name": "New", "sku": "new", "kind": "addon", "charged_per": "account", "size": 0}
    add, today = reverse("admin:subscriptions_item_add"), database_now().date()
    row = {"effective_from": today, "monthly_price": "5"}
    early = {"effective_from": today - timedelta(days=40), "monthly_price": "4"}
    for both in ((row, early), (early, row)):
        answer = as_root.post(add, prices(*both, **item))
        assert "has begun and New already had a price then" in answer.content.decode()
        assert not Item.objects.filter(sku="new").exists()
    coming = {"effective_from": tomorrow(), "monthly_price": "6"}
    assert as_root.post(add, prices(coming, row, **item)).status_code == 302
    made = Item.objects.get(sku="new")
    assert list(made.prices.values_list("effective_from", flat=True)) == [today, tomorrow()]
    answer = as_root.post(address(made), prices({**row, "effective_from": today}, name="New"))
    assert answer.status_code == 200
    assert made.prices.count() == 2


def test_an_item_may_be_sold_earlier_than_its_first_price(seats: Item, as_biller: Client) -> None:
    first = seats.prices.get().effective_from - timedelta(days=30)
    answer = as_biller.post(address(seats), prices({"effective_from": first, "monthly_price": "60"}))
    assert answer.status_code == 302
    assert seats.prices.count() == 2


def test_a_price_to_come_is_not_moved_to_today(seats: Item, as_biller: Client) -> None:
    coming = Price.objects.create(item=seats, effective_from=tomorrow(), monthly_price=75)
    moved = {"id": coming.pk, "item": seats.pk, "effective_from": database_now().date(), "monthly_price": "75"}
    answer = as_biller.post(address(seats), prices(moved, initial=1))
    assert "has begun: a price can start on" in answer.content.decode()
    coming.refresh_from_db()
    assert coming.effective_from == tomorrow()


def test_what_is_held_is_read_with_its_ledger_and_never_written(installed: Account, as_root: Client) -> None:
    center = ContactCenter.objects.get(account=installed)
    change = reverse("admin:subscriptions_contactcenter_change", args=[center.pk])
    text = as_root.get(change).content.decode()
    for said in ("Ledger", "Changes of what is held", "Pay-per-use", "Olivia Owner", "March 5, 2026"):
        assert said in text
    assert as_root.post(change, {"seats": 99}).status_code == 403
    assert as_root.post(reverse("admin:subscriptions_contactcenter_add"), {"account": installed.pk}).status_code == 403
    center.refresh_from_db()
    assert center.seats == 0


def test_a_new_price_starts_where_the_day_begins_first() -> None:
    assert first_day_of_a_new_price(datetime(2026, 3, 5, 9, 59, tzinfo=UTC)) == date(2026, 3, 6)
    assert first_day_of_a_new_price(datetime(2026, 3, 5, 10, 0, tzinfo=UTC)) == date(2026, 3, 7)


def test_what_accounts_hold_is_told_by_one_query(
    installed: Account, make_account: Callable[..., Account], django_assert_num_queries: Callable
) -> None:
    other = make_account("200001")
    with django_assert_num_queries(1):
        held = held_by_accounts([installed.pk, other.pk])
    assert list(held) == [installed.pk]
    assert (
        str(held[installed.pk]) == "Contact Center Pro · 0 seats · Voice · 5 GB of recordings · Pay-per-use toll-free"
    )
