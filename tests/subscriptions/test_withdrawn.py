"""Withdrawn from sale: kept by those who hold it, offered to nobody else, and followed by another of its size."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.actions import database_now
from accounts.models import Account, PhoneNumber, Refusal, User
from billing.packages import packages_for
from onboarding.models import Onboarding
from subscriptions.actions import assign_number, change_subscription, install
from subscriptions.catalogue import SECTIONS, catalogue_on, contact_center_of, held_by, load_catalogue
from subscriptions.models import Change, Holding, Item, Kind, Price, Slot
from subscriptions.rules import Subscription, differences, offered
from subscriptions.sale import first_day_of_a_new_price
from tests.billing.bills import called
from tests.conftest import INSTALLED, codes
from tests.guarding import INSERTS, UPDATES, named, nothing_written, refused_by
from tests.subscriptions.test_change import buy, held, ledger

PAGE = "/accounts/100001/contact-center/subscription/"
MARCH_20 = date(2026, 3, 20)
NOTE = "No longer sold. You can keep it"


def withdraw(*skus: str, day: date = MARCH_20) -> None:
    assert Item.objects.filter(sku__in=skus).update(withdrawn_from=day) == len(skus)


def noon(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 16, tzinfo=UTC)  # noon in New York


def choices(account: Account, day: date) -> set[str]:
    center = contact_center_of(account)
    return set(offered(catalogue_on(day), held=held_by(center), edition=center.edition, today=day))


@pytest.mark.parametrize(
    ("field", "value", "sku"),
    [
        ("channels", frozenset({"channel-voice", "channel-chat"}), "channel-chat"),
        ("addons", frozenset({"addon-wfm"}), "addon-wfm"),
        ("storage", "storage-25", "storage-25"),
        ("package", "tf-500", "tf-500"),
    ],
)
def test_from_its_local_day_on_nobody_else_buys_it(
    active: Account, owner: User, field: str, value: Any, sku: str
) -> None:
    withdraw(sku)
    assert sku in choices(active, date(2026, 3, 19))
    assert sku not in choices(active, MARCH_20)
    midnight = datetime(2026, 3, 20, 4, tzinfo=UTC)  # in New York
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        buy(active, owner, now=midnight, **{field: value})
    assert codes(refusal.value) == {(field, "withdrawn")}
    name = Item.objects.get(sku=sku).name
    assert refusal.value.messages == [f"{name} is no longer sold. Accounts that already have it can keep it."]
    assert Refusal.objects.get().rule == "withdrawn"
    buy(active, owner, now=midnight - timedelta(seconds=1), **{field: value})
    assert sku in choices(active, date(2026, 6, 1))


def test_what_is_held_is_kept_and_once_given_up_is_gone(active: Account, owner: User) -> None:
    buy(active, owner, addons=frozenset({"addon-wfm"}), storage="storage-25", package="tf-500", seats=3)
    withdraw("cc-pro", "addon-wfm", "storage-25", "tf-500")
    buy(active, owner, now=noon(21), seats=9)
    buy(active, owner, now=noon(22), seats=5)
    buy(active, owner, now=noon(23), seats=12)
    assert held(active) == Subscription(
        12, "storage-25", "tf-500", frozenset({"channel-voice"}), frozenset({"addon-wfm"})
    )
    buy(active, owner, now=noon(24), addons=frozenset(), storage="storage-5", package="tf-payperuse")
    gone = {"addons": frozenset({"addon-wfm"}), "storage": "storage-25", "package": "tf-500"}
    for field, value in gone.items():  # on that day it still counts, and on April 20 it does not
        for moment in (noon(24), noon(20, month=4)):
            with pytest.raises(ValidationError) as refusal:
                buy(active, owner, now=moment, **{field: value})
            assert codes(refusal.value) == {(field, "withdrawn")}
    assert not {"addon-wfm", "storage-25", "tf-500"} & choices(active, date(2026, 3, 24))


def test_a_downgrade_that_waits_takes_effect(active: Account, owner: User) -> None:
    buy(active, owner, package="tf-2500")
    buy(active, owner, now=noon(18), package="tf-500")
    withdraw("tf-500", "tf-2500")
    assert {"tf-500"} == {"tf-500", "tf-2500"} & choices(active, date(2026, 3, 25))
    buy(active, owner, now=noon(25), seats=4)
    assert ledger(active, Slot.PACKAGE)[-2:] == [
        ("tf-2500", 1, date(2026, 3, 17), date(2026, 4, 1)),
        ("tf-500", 1, date(2026, 4, 1), None),
    ]
    with pytest.raises(ValidationError) as refusal:
        buy(active, owner, now=noon(26), package="tf-2500")  # it still counts, but was given up
    assert codes(refusal.value) == {("package", "withdrawn")}


def test_a_withdrawn_edition_is_not_installed(account: Account, owner: User, catalogue: None) -> None:
    withdraw("cc-pro")
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        install(account, edition="cc-pro", by=owner, now=noon(20))
    assert codes(refusal.value) == {("edition", "withdrawn")}
    assert not Onboarding.objects.exists()
    assert install(account, edition="cc-pro", by=owner, now=noon(19)).edition.sku == "cc-pro"


def test_the_page_of_an_install_offers_what_is_sold(
    account: Account, owner: User, catalogue: None, client: Client
) -> None:
    withdraw("cc-pro")
    client.force_login(owner)
    there = reverse("install", args=[account.number])
    text = client.get(there).content.decode()
    assert 'value="cc-elite"' in text
    assert 'value="cc-pro"' not in text
    answer = client.post(there, {"edition": "cc-pro", "confirmed": "on"})
    assert answer.status_code == 422
    assert "Contact Center Pro is no longer sold." in answer.content.decode()


def test_what_is_only_for_a_withdrawn_edition_is_offered_to_its_accounts_alone(
    installed: Account, make_account: Callable[..., Account], owner: User
) -> None:
    elite = make_account("100002", owner=owner)
    install(elite, edition="cc-elite", by=owner, now=INSTALLED)
    assert "channel-social" in choices(installed, MARCH_20)  # with the reason why it can't be chosen
    withdraw("cc-elite")
    assert "channel-social" not in choices(installed, MARCH_20)
    assert "channel-social" in choices(elite, MARCH_20)
    buy(elite, owner, now=noon(25), channels=frozenset({"channel-voice", "channel-social"}))


def test_a_withdrawn_package_is_neither_advised_nor_compared(
    active: Account, answered_in_april: PhoneNumber, owner: User
) -> None:
    day = date(2026, 5, 10)

    def advice() -> Any:
        center = contact_center_of(active)
        choice = offered(catalogue_on(day), held=held_by(center), edition=center.edition, today=day)
        return packages_for(active, choice, day)

    assert advice().best.name == "1,000 minutes"
    withdraw("tf-1000")
    assert advice().best.name == "500 minutes"
    assert "tf-1000" not in advice().of
    buy(active, owner, now=noon(18), package="tf-1000")
    assert advice().best.name == "1,000 minutes"


@pytest.fixture
def answered_in_april(active: Account, toll_free: PhoneNumber, owner: User) -> PhoneNumber:
    """The account's number, with 1,000 minutes on April 3."""
    Account.objects.filter(pk=active.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assign_number(active, toll_free, by=owner, now=INSTALLED)
    called("april", minutes=1_000, at="2026-04-03T12:00:00-04:00")
    return toll_free


def successor(sku: str, of: str, *, first: date) -> Item:
    """Add an item of the same size, with a price from a day on."""
    before = Item.objects.get(sku=of)
    item = Item.objects.create(sku=sku, name=f"New {before.name}", kind=before.kind, size=before.size)
    rate = Decimal("0.04") if before.kind == Kind.PACKAGE else None
    Price.objects.create(item=item, effective_from=first, monthly_price=Decimal(20), per_minute=rate)
    return item


@pytest.mark.parametrize(
    ("field", "old", "slot"), [("package", "tf-500", Slot.PACKAGE), ("storage", "storage-25", Slot.STORAGE)]
)
def test_a_successor_of_the_same_size_takes_effect_at_once_and_for_the_whole_day(
    active: Account, owner: User, field: str, old: str, slot: int
) -> None:
    buy(active, owner, **{field: old})
    withdraw(old)
    successor("the-new-one", old, first=MARCH_20)
    now = noon(25)
    center, wanted = contact_center_of(active), replace(held(active), **{field: "the-new-one"})
    shown = differences(
        wanted, held=held(active), edition=center.edition, catalogue=catalogue_on(now.date()), today=now.date()
    )
    assert [(line.after, line.from_day, line.note) for line in shown] == [(f"New {name_of(old)}", now.date(), "")]
    change_subscription(active, wanted, by=owner, now=now)
    assert ledger(active, slot)[-2:] == [
        (old, 1, date(2026, 3, 17), date(2026, 3, 25)),
        ("the-new-one", 1, date(2026, 3, 25), None),
    ]


def name_of(sku: str) -> str:
    return Item.objects.get(sku=sku).name


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_of_each_size_one_item_is_on_sale(catalogue: None, way: Callable[[Any], None]) -> None:
    with refused_by("one_item_of_a_size"):
        way(Item(sku="storage-new", name="New", kind=Kind.STORAGE, size=25))
    withdraw("storage-25")
    way(Item(sku="storage-new", name="New", kind=Kind.STORAGE, size=25))
    with refused_by("one_item_of_a_size"):
        Item.objects.filter(sku="storage-25").update(withdrawn_from=None)


@pytest.mark.parametrize("sku", ["tf-payperuse", "storage-5", "channel-voice"])
@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_a_default_item_is_never_withdrawn(catalogue: None, way: Callable[..., None], sku: str) -> None:
    with refused_by("default_item_stays_on_sale"):
        way(Item.objects.get(sku=sku), withdrawn_from=MARCH_20)


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_the_day_of_a_withdrawal_may_change(catalogue: None, way: Callable[..., None]) -> None:
    item = Item.objects.get(sku="addon-wfm")
    way(item, withdrawn_from=MARCH_20)
    item.refresh_from_db()
    assert item.withdrawn_from == MARCH_20


# Through the pages of the customer and of the admin.


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
    assert Change.objects.filter(account=active).count() == 1


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
