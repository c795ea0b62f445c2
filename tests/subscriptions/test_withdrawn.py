"""Items withdrawn from sale: accounts that hold one keep it, nobody else can buy it, and a successor can follow."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Account, PhoneNumber, Refusal, User
from billing.previews.packages import packages_for
from onboarding.models import Onboarding
from subscriptions.actions import assign_number, change_subscription, install
from subscriptions.catalogue import catalogue_on, contact_center_of, held_by, in_force
from subscriptions.differences import differences
from subscriptions.models import Item, ItemKind, Price, Slot
from subscriptions.rules import Subscription, offered
from tests.billing.bills import called
from tests.conftest import INSTALLED, codes
from tests.guarding import INSERTS, UPDATES, named, nothing_written, refused_by
from tests.subscriptions.test_change import buy, held, ledger

MARCH_20 = date(2026, 3, 20)


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
    midnight = datetime(2026, 3, 20, 4, tzinfo=UTC)  # midnight in New York
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
        seats=12,
        storage="storage-25",
        package="tf-500",
        channels=frozenset({"channel-voice"}),
        addons=frozenset({"addon-wfm"}),
    )
    buy(active, owner, now=noon(24), addons=frozenset(), storage="storage-5", package="tf-payperuse")
    gone = {"addons": frozenset({"addon-wfm"}), "storage": "storage-25", "package": "tf-500"}
    for field, value in gone.items():  # on March 24 it still counts, and on April 20 it no longer does
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
        buy(active, owner, now=noon(26), package="tf-2500")  # which still counts, but was given up
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
    assert "channel-social" in choices(installed, MARCH_20)  # shown with the reason why it can't be chosen
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
    """Add an item of the same kind and size, with a price from a day on."""
    before = Item.objects.get(sku=of)
    item = Item.objects.create(sku=sku, name=f"New {before.name}", kind=before.kind, size=before.size)
    rate = Decimal("0.04") if before.kind == ItemKind.PACKAGE else None
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
        wanted,
        chosen=held(active),
        in_force=in_force(center, now),
        edition=center.edition,
        catalogue=catalogue_on(now.date()),
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
@pytest.mark.owner
def test_of_each_size_one_item_is_on_sale(catalogue: None, way: Callable[[Any], None]) -> None:
    with refused_by("one_item_of_a_size"):
        way(Item(sku="storage-new", name="New", kind=ItemKind.STORAGE, size=25))
    withdraw("storage-25")
    way(Item(sku="storage-new", name="New", kind=ItemKind.STORAGE, size=25))
    with refused_by("one_item_of_a_size"):
        Item.objects.filter(sku="storage-25").update(withdrawn_from=None)


@pytest.mark.parametrize("sku", ["tf-payperuse", "storage-5", "channel-voice"])
@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_a_default_item_is_never_withdrawn(catalogue: None, way: Callable[..., None], sku: str) -> None:
    with refused_by("default_item_stays_on_sale"):
        way(Item.objects.get(sku=sku), withdrawn_from=MARCH_20)


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.owner
def test_the_day_of_a_withdrawal_may_change(catalogue: None, way: Callable[..., None]) -> None:
    item = Item.objects.get(sku="addon-wfm")
    way(item, withdrawn_from=MARCH_20)
    item.refresh_from_db()
    assert item.withdrawn_from == MARCH_20
