"""The actions that the admin's forms call: they read the member of staff again, and check what the form checked."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.actions import remove_contact, save_account, save_contact, save_number, save_service_user, save_user
from accounts.models import Account, Contact, PhoneNumber, Role, ServiceUser, User
from core.clock import database_now
from subscriptions.actions import save_item, set_prices
from subscriptions.models import Item, Price
from tests.conftest import codes
from tests.guarding import nothing_written

Row = Callable[[Account, User], Any]


def renamed(row: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    return row


WRITES: dict[str, tuple[Callable[..., Any], Row]] = {
    "account": (save_account, lambda account, owner: renamed(account, company="Renamed")),
    "contact": (save_contact, lambda account, owner: Contact(account=account, user=owner, role=Role.VIEWER)),
    "contact taken": (remove_contact, lambda account, owner: account.contacts.get()),
    "number": (save_number, lambda account, owner: PhoneNumber(account=account, number="+12125550177")),
    "service user": (save_service_user, lambda account, owner: ServiceUser(account=account, name="P", email="p@x.org")),
    "user": (save_user, lambda account, owner: renamed(owner, first_name="Renamed")),
    "item": (save_item, lambda account, owner: renamed(Item.objects.get(sku="storage-25"), name="Renamed")),
    "price": (lambda price, by: set_prices(price.item, [price], by=by), lambda account, owner: new_price()),
    "price taken": (lambda price, by: set_prices(price.item, [], removed=[price], by=by), lambda *_: new_price()),
}


def new_price() -> Price:
    return Price(item=Item.objects.get(sku="storage-25"), effective_from=date(2099, 1, 1), monthly_price=20)


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest, account: Account, owner: User, catalogue: None) -> Callable[[User], Any]:
    save, row = WRITES[request.param]
    return lambda by: save(row(account, owner), by=by)


def test_staff_who_were_switched_off_meanwhile_write_nothing(write: Callable[[User], Any], root: User) -> None:
    """The object is stale: whoever logged in before would still be active by it."""
    User.objects.filter(pk=root.pk).update(is_active=False)
    with nothing_written(), pytest.raises(PermissionDenied):
        write(root)


def test_customers_and_staff_without_the_permission_write_nothing(
    write: Callable[[User], Any], owner: User, make_user: Callable[..., User]
) -> None:
    for by in (owner, make_user("new@example.com", is_staff=True)):
        with nothing_written(), pytest.raises(PermissionDenied):
            write(by)


def test_only_superusers_save_who_is_or_becomes_staff(owner: User, member: User, root: User) -> None:
    for user in (renamed(owner, is_staff=True), renamed(root, first_name="Renamed")):
        with nothing_written(), pytest.raises(PermissionDenied):
            save_user(user, by=member)
    assert save_user(owner, by=root).is_staff


@pytest.mark.parametrize(
    ("save", "row", "reason"),
    [
        (save_account, lambda account: renamed(account, timezone="Mars/Olympus"), ("timezone", "unknown_timezone")),
        (save_number, lambda account: PhoneNumber(account=account, number="12"), ("number", "invalid")),
        (save_contact, lambda account: twin_of(account.contacts.get()), ("__all__", "contact_once_per_role")),
        (save_item, lambda _: Item(sku="a", kind="addon", name="A", only_for=["b"]), ("__all__", "unknown_product")),
    ],
    ids=["account", "number", "contact", "item"],
)
def test_what_is_not_valid_is_refused_without_the_form_too(
    save: Callable[..., Any], row: Callable[[Account], Any], reason: tuple[str, str], account: Account, root: User
) -> None:
    with nothing_written(), pytest.raises(ValidationError) as refusal:
        save(row(account), by=root)
    assert reason in codes(refusal.value)


def twin_of(contact: Contact) -> Contact:
    return Contact(account=contact.account, user=contact.user, role=contact.role)


def test_prices_are_set_all_or_none(catalogue: None, root: User) -> None:
    item = Item.objects.get(sku="storage-25")
    today = Price(item=item, effective_from=database_now().date(), monthly_price=1)
    with nothing_written(), pytest.raises(ValidationError) as refusal:
        set_prices(item, [new_price(), today], by=root)
    assert codes(refusal.value) == {("__all__", "price_starts_later")}
