"""An item withdrawn from sale, on the pages of the customer and of the admin."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from core.clock import database_now
from subscriptions.actions import install, load_catalogue
from subscriptions.actions.load_catalogue import SECTIONS
from subscriptions.models import Holding, Item, Price, Slot, SubscriptionChange
from subscriptions.sale import first_day_of_a_new_price
from tests.conftest import INSTALLED, codes
from tests.guarding import nothing_written
from tests.subscriptions.test_change import buy, held
from tests.subscriptions.test_withdrawn import MARCH_20, successor, withdraw

PAGE = "/accounts/100001/contact-center/subscription/"
NOTE = "No longer sold. You can keep it"


def tomorrow() -> date:
    return first_day_of_a_new_price(database_now())


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def root(make_user: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    return client


def save_item(client: Client, item: Item, **fields: object) -> HttpResponse:
    values = {"name": item.name, "only_for": ",".join(item.only_for), "withdrawn_from": item.withdrawn_from or ""}
    return client.post(reverse("admin:subscriptions_item_change", args=[item.pk]), {**values, **no_prices(), **fields})


def no_prices(*rows: dict[str, object]) -> dict[str, object]:
    form: dict[str, object] = {"prices-2-TOTAL_FORMS": 0, "prices-2-INITIAL_FORMS": 0}
    form |= {"prices-TOTAL_FORMS": len(rows), "prices-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        form |= {f"prices-{number}-{name}": value for name, value in row.items()}
    return form


def token_of(page: HttpResponse) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def test_an_item_is_withdrawn_in_the_admin_and_replaced_by_another_on_the_pages(
    active: Account, make_account: Callable[..., Account], owner: User, customer: Client, root: Client
) -> None:
    """The life of a package: held, withdrawn, kept with more seats, then given up for its successor."""
    other = make_account("100002", owner=owner)
    install(other, edition="cc-pro", by=owner, now=INSTALLED)
    buy(active, owner, package="tf-500", seats=2)
    old = Item.objects.get(sku="tf-500")
    today = active.day_of(database_now())

    assert save_item(root, old, withdrawn_from=today).status_code == 302
    old.refresh_from_db()
    assert old.withdrawn_from == today
    assert old.history.latest().withdrawn_from == today
    assert "withdrawn" in root.get(reverse("admin:subscriptions_item_changelist")).content.decode().lower()

    held_page = customer.get(PAGE).content.decode()
    assert 'value="tf-500" checked' in held_page
    assert NOTE in held_page
    other_page = customer.get("/accounts/100002/contact-center/subscription/").content.decode()
    assert 'value="tf-500"' not in other_page
    assert NOTE not in other_page
    keeps = {"seats": 7, "channels": ["channel-voice"], "storage": "storage-5", "package": "tf-500"}
    customer.post(PAGE + "confirm/", {"token": token_of(customer.post(PAGE, keeps))})
    assert (held(active).seats, held(active).package) == (7, "tf-500")

    new = {"name": "500 minutes, new", "sku": "tf-500-new", "kind": "package", "charged_per": "account", "size": 500}
    price = {"effective_from": today, "monthly_price": "20", "per_minute": "0.041"}
    early = {**price, "effective_from": today - timedelta(days=1)}
    added = reverse("admin:subscriptions_item_add")
    refused = root.post(added, {**new, **no_prices(early)})
    assert "which has the same size, is withdrawn only on" in refused.content.decode()
    assert not Item.objects.filter(sku="tf-500-new").exists()
    assert root.post(added, {**new, **no_prices(price)}).status_code == 302

    page = customer.post(PAGE, {**keeps, "package": "tf-500-new"})
    assert "500 minutes, new" in page.content.decode()
    customer.post(PAGE + "confirm/", {"token": token_of(page)})
    assert held(active).package == "tf-500-new"
    assert Holding.objects.on(today).get(account=active, slot=Slot.PACKAGE).item.sku == "tf-500-new"
    after = customer.get(PAGE).content.decode()
    assert 'value="tf-500"' not in after
    back = customer.post(PAGE, keeps)
    assert back.status_code == 422
    assert "500 minutes is no longer sold. Accounts that already have it can keep it." in back.content.decode()


def test_a_page_that_was_made_before_the_withdrawal_sells_nothing(
    active: Account, customer: Client, owner: User
) -> None:
    wanted = {"seats": 0, "channels": ["channel-voice"], "storage": "storage-25", "package": "tf-payperuse"}
    page = customer.post(PAGE, wanted)
    withdraw("storage-25", day=active.day_of(database_now()))
    answer = customer.post(PAGE + "confirm/", {"token": token_of(page)})
    assert answer.status_code == 422
    assert "25 GB is no longer sold." in answer.content.decode()
    assert SubscriptionChange.objects.filter(account=active).count() == 1


@pytest.mark.parametrize(
    ("sku", "days", "said"),
    [
        ("addon-wfm", -30, "not from a day that is over"),
        ("tf-payperuse", 5, "An item that is held from the moment of install can&#x27;t be withdrawn"),
        ("addon-wfm", "soon", "Enter a valid date"),
    ],
)
def test_a_withdrawal_that_can_not_be_is_refused_at_its_field(
    catalogue: None, root: Client, sku: str, days: Any, said: str
) -> None:
    day = days if isinstance(days, str) else database_now().date() + timedelta(days=days)
    item = Item.objects.get(sku=sku)
    with nothing_written():
        answer = save_item(root, item, withdrawn_from=day)
        assert answer.status_code == 200
        assert said in answer.content.decode()


def test_a_withdrawal_that_is_past_stays_when_something_else_changes(catalogue: None, root: Client) -> None:
    withdraw("addon-wfm")
    item = Item.objects.get(sku="addon-wfm")
    assert save_item(root, item, name="Work Force").status_code == 302
    item.refresh_from_db()
    assert (item.name, item.withdrawn_from) == ("Work Force", MARCH_20)
    assert save_item(root, item, withdrawn_from="").status_code == 302  # on sale again
    item.refresh_from_db()
    assert item.withdrawn_from is None


def test_it_is_not_sold_again_or_for_longer_beside_its_successor(catalogue: None, root: Client) -> None:
    withdraw("storage-25", day=tomorrow())
    old, new = Item.objects.get(sku="storage-25"), successor("storage-new", "storage-25", first=tomorrow())
    for day, said in [
        ("", "25 GB, which has the same size, is on sale."),
        (tomorrow() + timedelta(days=1), "New 25 GB can&#x27;t have its first price on"),
    ]:
        answer = save_item(root, old, withdrawn_from=day)
        assert answer.status_code == 200, day
        assert said in answer.content.decode()
    old.refresh_from_db()
    assert old.withdrawn_from == tomorrow()
    Price.objects.filter(item=new).delete()
    answer = save_item(root, old, withdrawn_from="")
    assert "There is already an item of this size on sale." in answer.content.decode()
    assert save_item(root, new, withdrawn_from=tomorrow() + timedelta(days=9)).status_code == 302


def test_the_billing_team_sets_prices_and_withdraws_nothing(catalogue: None, biller: User) -> None:
    client = Client()
    client.force_login(biller)
    item = Item.objects.get(sku="addon-wfm")
    save_item(client, item, withdrawn_from=tomorrow())
    item.refresh_from_db()
    assert item.withdrawn_from is None


def test_a_file_may_bring_a_successor_from_the_day_of_the_withdrawal_on(catalogue: None) -> None:
    withdraw("storage-25", day=tomorrow() + timedelta(days=5))
    row = {"sku": "storage-new", "name": "25 GB, new", "gigabytes": 25, "monthly_price": "9.00"}

    def content(day: date) -> dict[str, Any]:
        empty: dict[str, Any] = {section: [] for section in SECTIONS}
        return {**empty, "effective_from": day.isoformat(), "recording_storage": [row]}

    with nothing_written(), pytest.raises(ValidationError) as refusal:
        load_catalogue(content(tomorrow()))
    assert codes(refusal.value) == {("__all__", "size_on_sale")}
    assert "25 GB, which has the same size, is withdrawn only on" in refusal.value.messages[0]
    loaded = load_catalogue(content(tomorrow() + timedelta(days=5)))
    assert [item.sku for item in loaded.items] == ["storage-new"]
