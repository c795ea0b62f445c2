"""The database's guards on what an account in onboarding may hold: two seats (I1) and Pay-per-use (I2)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import ProtectedError

from accounts.models import Account
from onboarding.models import Onboarding
from subscriptions.models import ContactCenter, Holding, Item, ItemKind, Slot, SubscriptionChange
from tests.conftest import INSTALLED
from tests.guarding import INSERTS, UPDATES, by_upsert, named, nothing_written, refused_by, sql

EXERCISED = {
    "onboarding_seat_limit",
    "onboarding_package_lock",
    "contact_center_is_never_deleted",
    "onboarding_ledger_limit",
    "item_is_final",
}


def item(sku: str) -> Item:
    return Item.objects.get(sku=sku)


def center(account: Account, **fields: Any) -> ContactCenter:
    """Return an unsaved Contact Center."""
    held = {"edition": item("cc-pro"), "storage": item("storage-5"), "package": item("tf-payperuse"), **fields}
    return ContactCenter(account=account, installed_at=INSTALLED, **held)


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize("seats", [3, 100_000, 2**31 - 1])
def test_seats_past_the_limit_are_refused(installed: Account, way: Callable[..., None], seats: int) -> None:
    with refused_by("onboarding_seat_limit"):
        way(installed.contact_center, seats=seats)


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_seats_below_none_are_refused(installed: Account, way: Callable[..., None]) -> None:
    with refused_by("seats_are_possible"):
        way(installed.contact_center, seats=-1)


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_more_seats_than_there_are_numbers_are_refused(installed: Account, way: Callable[..., None]) -> None:
    with nothing_written(), pytest.raises(DataError), transaction.atomic():
        way(installed.contact_center, seats=2**40)


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_an_active_account_has_the_last_bound_only(active: Account, way: Callable[..., None]) -> None:
    with refused_by("seats_are_possible"):
        way(active.contact_center, seats=100_001)
    way(active.contact_center, seats=100_000)
    assert ContactCenter.objects.get().seats == 100_000


def test_seats_counted_up_by_the_database_stop_at_the_limit(installed: Account) -> None:
    for _ in range(2):
        sql("UPDATE subscriptions_contactcenter SET seats = seats + 1")
    with refused_by("onboarding_seat_limit"):
        sql("UPDATE subscriptions_contactcenter SET seats = seats + 1")


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize("sku", ["tf-500", "tf-225000", "storage-5"])
def test_any_other_package_is_refused(installed: Account, way: Callable[..., None], sku: str) -> None:
    with refused_by("onboarding_package_lock"):
        way(installed.contact_center, package=item(sku))


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize(("held", "guard"), [({"seats": 3}, "seat_limit"), ({"package": "tf-500"}, "package_lock")])
def test_a_contact_center_is_not_born_past_the_limits(
    account: Account, catalogue: None, way: Callable[[Any], None], held: dict[str, Any], guard: str
) -> None:
    fields = {name: item(value) if name == "package" else value for name, value in held.items()}
    with refused_by(f"onboarding_{guard}"):
        way(center(account, **fields))


@pytest.mark.parametrize(("seats", "guard"), [(0, "onboarding_with_contact_center"), (3, "onboarding_seat_limit")])
def test_contact_center_is_not_held_without_a_record_of_the_mode(
    account: Account, catalogue: None, seats: int, guard: str
) -> None:
    with refused_by(guard):
        center(account, seats=seats).save()


def test_limits_are_not_escaped_by_moving_to_an_active_account(
    active: Account, make_account: Callable[..., Account]
) -> None:
    moving = center(make_account("100002"))
    Onboarding.objects.create(account=moving.account, started_at=moving.installed_at)
    moving.save()
    # This violates the unique account too, but BEFORE triggers run first.
    with refused_by("contact_center_is_never_deleted"):
        ContactCenter.objects.filter(pk=moving.pk).update(account=active)


@pytest.mark.parametrize("way", [way for way in UPDATES if way is not by_upsert], ids=named)
@pytest.mark.parametrize("field", ["account", "edition", "installed_at", "version"])
def test_what_a_contact_center_is_never_changes(
    active: Account, make_account: Callable[..., Account], way: Callable[..., None], field: str
) -> None:
    ContactCenter.objects.update(version=5)
    other = {
        "account": make_account("100002"),
        "edition": item("cc-elite"),
        "installed_at": active.created_at,
        "version": 4,
    }
    with refused_by("contact_center_is_never_deleted"):
        way(active.contact_center, **{field: other[field]})


def test_a_contact_center_is_never_deleted_nor_its_key_changed(installed: Account) -> None:
    for attack in (
        lambda: installed.contact_center.delete(),
        lambda: ContactCenter.objects.all().delete(),
        lambda: sql("DELETE FROM subscriptions_contactcenter"),
        lambda: ContactCenter.objects.update(id=installed.contact_center.pk + 1),
        lambda: sql("UPDATE subscriptions_contactcenter SET id = id + 1"),
    ):
        with refused_by("contact_center_is_never_deleted"):
            attack()


def holding(account: Account, sku: str, quantity: int, slot: int) -> Holding:
    """Return an unsaved row of the ledger, for a time when nothing else is held."""
    return Holding(
        account=account,
        item=item(sku),
        slot=slot,
        quantity=quantity,
        period=DateRange(INSTALLED.date().replace(year=2027), None),
        change=SubscriptionChange.objects.filter(account=account).latest("version"),
    )


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize(
    ("sku", "quantity", "slot"),
    [
        ("cc-pro", 3, Slot.PRODUCT),
        ("tf-500", 1, Slot.PACKAGE),
        ("cc-pro", 1, 7),
        ("tf-500", 1, Slot.STORAGE),
        ("tf-500", 1, 7),
        ("channel-chat", 1, Slot.PRODUCT),
    ],
)
def test_the_ledger_has_the_same_limits(
    installed: Account, way: Callable[[Any], None], sku: str, quantity: int, slot: int
) -> None:
    with refused_by("onboarding_ledger_limit"):
        way(holding(installed, sku, quantity, slot))


def test_the_ledger_of_an_active_account_has_none_but_knows_its_places(active: Account) -> None:
    holding(active, "cc-pro", 3, Slot.PRODUCT).save()
    with refused_by("onboarding_ledger_limit"):
        holding(active, "cc-pro", 1, Slot.STORAGE).save()


@pytest.mark.parametrize("quantity", [0, 100_001])
def test_a_quantity_is_possible(active: Account, quantity: int) -> None:
    # This constraint has no sentence, since only a bug could violate it.
    with nothing_written(), pytest.raises(IntegrityError, match="holding_quantity"), transaction.atomic():
        holding(active, "cc-pro", quantity, Slot.PRODUCT).save()


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize(
    "field",
    [{"size": 500}, {"held_at_install": False}, {"kind": ItemKind.STORAGE}, {"sku": "other"}, {"charged_per": "seat"}],
)
def test_what_pay_per_use_is_never_changes(installed: Account, way: Callable[..., None], field: dict[str, Any]) -> None:
    # An upsert is an INSERT first, of a default package with minutes or of a SKU twice.
    with refused_by("item_is_final", *["default_package_has_no_minutes"] * (way is by_upsert)):
        way(item("tf-payperuse"), **field)


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_another_package_never_becomes_the_default(installed: Account, way: Callable[..., None]) -> None:
    # An upsert is an INSERT first, of a default package with minutes.
    with refused_by("item_is_final", *["default_package_has_no_minutes"] * (way is by_upsert)):
        way(item("tf-500"), held_at_install=True)


def test_pay_per_use_is_never_deleted_to_come_back_with_minutes(installed: Account) -> None:
    with nothing_written(), pytest.raises(ProtectedError):
        item("tf-payperuse").delete()
    with refused_by("item_is_final"):
        sql("DELETE FROM subscriptions_item WHERE sku = 'tf-payperuse'")
    with refused_by("item_is_final"):
        sql("UPDATE subscriptions_item SET id = id + 100000 WHERE sku = 'tf-payperuse'")


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"size": 5}, "default_package_has_no_minutes"),
        ({"size": 0, "held_at_install": False}, "one_item_of_a_size"),
    ],
)
def test_there_is_no_second_default_package(
    catalogue: None, way: Callable[[Any], None], fields: dict[str, Any], constraint: str
) -> None:
    another = Item(**{"sku": "tf-other", "name": "Other", "kind": ItemKind.PACKAGE, "held_at_install": True, **fields})
    with refused_by(constraint):
        way(another)


def test_there_is_no_second_default_storage(catalogue: None) -> None:
    with refused_by("one_default_of_a_kind"):
        Item.objects.create(sku="storage-7", name="7 GB", kind=ItemKind.STORAGE, size=7, held_at_install=True)
