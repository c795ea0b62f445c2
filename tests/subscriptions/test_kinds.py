"""The table of kinds: what follows from it for each kind that is switched on and off, from a catalog file to a bill."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client
from django.utils.translation import override

from accounts.models import Account, Refusal, User
from subscriptions.actions import load_catalogue
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.kinds import KINDS, SWITCHED, SWITCHED_TOGETHER, ItemKind, Kind
from subscriptions.models import Holding, Item
from subscriptions.rules import Subscription
from tests.billing.bills import IN_APRIL, MARCH, bill, buy, lines

PAGE = "/accounts/100001/contact-center/"
APPS = ("accounts", "billing", "config", "core", "onboarding", "subscriptions", "templates", "static")
each_kind = pytest.mark.parametrize("kind", SWITCHED, ids=lambda kind: kind.field)


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def load_new(kind: Kind) -> None:
    """Load a catalog file with a new item of the kind, "zz-new", at 31.00 a month; nothing else is in it."""
    content: dict[str, Any] = {each.section: [] for each in KINDS if not each.may_be_left_out}
    item = {"sku": "zz-new", "name": "Zebra", "monthly_price": "31.00"}
    load_catalogue({**content, "effective_from": "2026-01-01", kind.section: [item]})


def test_every_kind_is_in_the_table_in_the_order_of_a_bill() -> None:
    assert [kind.kind for kind in KINDS] == list(ItemKind)
    assert KINDS[0].kind == ItemKind.PRODUCT, "the seats are charged first"


@each_kind
def test_a_new_item_goes_from_the_file_to_the_bill(customer: Client, active: Account, owner: User, kind: Kind) -> None:
    load_new(kind)
    assert Item.objects.get(sku="zz-new").kind == kind.kind
    buy(active, owner, seats=1, storage="storage-100")
    before = held_by(contact_center_of(active))
    buy(active, owner, **{kind.field: before.by_field[kind.field] | {"zz-new"}})
    assert held_by(contact_center_of(active)) == before.toggled(kind, "zz-new")
    assert Holding.objects.open().filter(account=active, item__sku="zz-new", slot__gt=0).count() == 1
    bill(now=IN_APRIL)
    assert lines(active, MARCH)[1] == ("recurring", "zz-new", "16.00"), "after the seats and before the storage"
    assert "Zebra" in customer.get(PAGE).content.decode()
    events = customer.get("/accounts/100001/audit-log/").content.decode()
    assert "Zebra" in events


@each_kind
def test_a_page_shows_its_items_and_buys_them(customer: Client, active: Account, kind: Kind) -> None:
    load_new(kind)
    text = customer.get(f"{PAGE}subscription/").content.decode()
    assert f"<legend>{kind.plural}</legend>" in text
    assert re.search(rf'type="checkbox" name="{kind.field}" value="zz-new"', text)
    before = held_by(contact_center_of(active))
    chosen = {**before.by_field, kind.field: [*before.by_field[kind.field], "zz-new"]}
    posted = {"seats": 0, "storage": before.storage, "package": before.package, **chosen}
    page = customer.post(f"{PAGE}subscription/", posted).content.decode()
    assert re.search(r"Zebra.{1,120}?\boff\b.{1,120}?\bon\b", page, re.DOTALL)
    [token] = re.findall(r'name="token" value="([^"]+)"', page)
    customer.post(f"{PAGE}subscription/confirm/", {"token": token})
    assert held_by(contact_center_of(active)) == before.toggled(kind, "zz-new")


@each_kind
def test_what_is_refused_stands_at_the_field(customer: Client, installed: Account, owner: User, kind: Kind) -> None:
    held = held_by(contact_center_of(installed))
    posted = {"seats": 0, "storage": held.storage, "package": held.package, **held.by_field, kind.field: ["nonsense"]}
    page = customer.post(f"{PAGE}subscription/", posted).content.decode()
    sentence = f"“nonsense” is not sold as a {str(kind.kind.label).lower()}. Choose one from the list."
    assert f'id="id_{kind.field}_error"><li>{sentence}' in page
    assert Refusal.objects.get().field == kind.field
    assert str(kind.plural) in customer.get("/accounts/100001/audit-log/").content.decode()


@pytest.mark.parametrize("language", ["en", "es"])
def test_one_heading_names_all_kinds_that_are_switched(language: str) -> None:
    with override(language):
        for kind in SWITCHED:
            assert str(kind.plural).lower() in str(SWITCHED_TOGETHER).lower()


def test_a_subscription_has_what_neither_is_given_nor_kept_switched_off() -> None:
    chat = frozenset({"channel-chat"})
    held = Subscription(seats=1, storage="storage-5", package="tf-500", channels=chat)
    assert held.by_field == {kind.field: chat if kind.field == "channels" else frozenset() for kind in SWITCHED}
    assert replace(held, seats=2).by_field == held.by_field
    assert replace(held, channels=frozenset()).switched_on == frozenset()
    assert held == Subscription(seats=1, storage="storage-5", package="tf-500", by_field={"channels": chat})
    with pytest.raises(TypeError, match="chanels"):
        Subscription(seats=1, storage="storage-5", package="tf-500", chanels=chat)


def test_only_the_table_names_a_kind_that_is_switched() -> None:
    """Add-ons stand for all: no rule is about them alone, so what names them would forget the next kind."""
    named = re.compile(r"""ItemKind\.ADDON|["']addons?["']|\baddons=|\.addons\b""")
    table = project.PROJECT / "subscriptions" / "kinds.py"
    for app in APPS:
        for path in (project.PROJECT / app).rglob("*.*"):
            if path.suffix in (".py", ".html", ".txt", ".js") and "migrations" not in path.parts and path != table:
                assert not named.search(path.read_text()), path
