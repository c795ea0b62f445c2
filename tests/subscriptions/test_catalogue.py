"""`load_catalogue`, what is sold on a day, and confirmations that are stale after a price has changed (R15, R24)."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, Refusal, User
from core.clock import database_now
from core.past import writing_history
from subscriptions.actions import Loaded, change_subscription, load_catalogue, propose_subscription
from subscriptions.actions.load_catalogue import SECTIONS
from subscriptions.catalogue import catalogue_on, contact_center_of, held_by
from subscriptions.changing import Confirmation
from subscriptions.models import ChargedPer, Item, ItemKind, Price
from subscriptions.sale import first_day_of_a_new_price
from tests.conftest import catalogue_content, codes
from tests.guarding import nothing_written

COUNT = 29


@pytest.fixture
def content() -> Any:
    return deepcopy(catalogue_content())


def test_a_catalogue_is_loaded_once(db: None, content: Any) -> None:
    assert counts(load_catalogue(content)) == (COUNT, COUNT)
    pro, voice, storage, free = (
        Item.objects.get(sku=sku) for sku in ("cc-pro", "channel-voice", "storage-5", "tf-payperuse")
    )
    assert (pro.kind, pro.charged_per, pro.held_at_install) == (ItemKind.PRODUCT, ChargedPer.SEAT, False)
    assert (voice.kind, voice.charged_per, voice.held_at_install) == (ItemKind.CHANNEL, ChargedPer.ACCOUNT, True)
    assert (storage.kind, storage.size, storage.held_at_install) == (ItemKind.STORAGE, 5, True)
    assert (free.kind, free.size, free.held_at_install) == (ItemKind.PACKAGE, 0, True)
    assert free.prices.get().per_minute == Decimal("0.0450")
    assert Item.objects.get(sku="channel-social").only_for == ["cc-elite"]
    with nothing_written():
        assert counts(load_catalogue(content)) == (0, 0)


def counts(loaded: Loaded) -> tuple[int, int]:
    return len(loaded.items), len(loaded.prices)


def test_a_later_catalogue_adds_its_prices_and_items(catalogue: None, content: Any) -> None:
    first = tomorrow()
    content["effective_from"] = first.isoformat()
    content["products"][0]["monthly_price"] = "75.00"
    content["channels"].append({"sku": "channel-fax", "name": "Fax", "monthly_price": "1.00"})
    assert counts(load_catalogue(content)) == (1, COUNT + 1)
    prices = [catalogue_on(first + timedelta(days=days))["cc-pro"].monthly_price for days in (-1, 0, 1)]
    assert prices == [Decimal("70.00"), Decimal("75.00"), Decimal("75.00")]
    assert "channel-fax" not in catalogue_on(first - timedelta(days=1))


def tomorrow() -> date:
    return first_day_of_a_new_price(database_now())


def test_a_dry_run_tells_the_same_and_writes_nothing(catalogue: None, content: Any) -> None:
    content["effective_from"] = tomorrow().isoformat()
    content["channels"].append({"sku": "channel-fax", "name": "Fax", "monthly_price": "1.00"})
    with nothing_written():
        loaded = load_catalogue(content, dry_run=True)
    assert ([item.sku for item in loaded.items], len(loaded.prices)) == (["channel-fax"], COUNT + 1)
    assert {price.effective_from for price in loaded.prices} == {tomorrow()}
    assert counts(load_catalogue(content)) == counts(loaded)


@pytest.mark.parametrize("days_ago", [1, 30])
def test_prices_for_days_that_have_begun_are_refused(catalogue: None, content: Any, days_ago: int) -> None:
    content["effective_from"] = (tomorrow() - timedelta(days=days_ago)).isoformat()
    content["channels"].append({"sku": "channel-fax", "name": "Fax", "monthly_price": "1.00"})
    with nothing_written(), pytest.raises(ValidationError) as refusal:
        load_catalogue(content)
    assert codes(refusal.value) == {("__all__", "price_starts_later")}
    assert len(refusal.value.messages) == COUNT
    assert "has begun and cc-pro already had a price then" in refusal.value.messages[0]


@pytest.mark.parametrize("days_ago", [1, 30])
def test_an_item_that_is_new_may_be_sold_at_once(catalogue: None, content: Any, days_ago: int) -> None:
    day = tomorrow() - timedelta(days=days_ago)
    only_new: dict[str, list[Any]] = {section: [] for section in SECTIONS}
    fax = {"sku": "channel-fax", "name": "Fax", "monthly_price": "1.00"}
    content = {**only_new, "effective_from": day.isoformat(), "channels": [fax]}
    assert counts(load_catalogue(content)) == (1, 1)
    assert catalogue_on(day)["channel-fax"].monthly_price == 1


@pytest.mark.parametrize(
    ("section", "place", "field", "value", "said"),
    [
        ("products", 0, "monthly_price", "75.00",
         "cc-pro costs $70.00 a month from 2026-01-01, and $75.00 a month in the file."),
        ("products", 0, "monthly_price", 75, "and $75.00 a month in the file."),
        ("toll_free_packages", 1, "per_minute", "0.0410",
         "tf-500 costs $18.00 a month and $0.042 a minute from 2026-01-01, "
         "and $18.00 a month and $0.041 a minute in the file."),
        ("products", 0, "name", "Pro", "cc-pro: the name: “Contact Center Pro” in the catalogue, “Pro” in the file."),
        ("toll_free_packages", 1, "minutes", 600, "tf-500: the size: “500” in the catalogue, “600” in the file."),
        ("channels", 1, "charged_per", "account",
         "channel-chat: charged per: “seat” in the catalogue, “account” in the file."),
        ("channels", 0, "included", False,
         "channel-voice: held from the moment of install: “True” in the catalogue, “False” in the file."),
        ("channels", 4, "only_for", [],
         "channel-social: only for: “cc-elite” in the catalogue, “all products” in the file."),
        ("channels", 4, "only_for", ["cc-gold"], "channel-social is only for cc-gold, not the SKU of a product."),
    ],
    ids=str,
)  # fmt: skip
def test_a_file_that_contradicts_the_catalogue_is_an_error(
    catalogue: None, content: Any, section: str, place: int, field: str, value: object, said: str
) -> None:
    content[section][place][field] = value
    with nothing_written(), pytest.raises(ValidationError) as refusal:
        load_catalogue(content)
    assert codes(refusal.value) == {("__all__", "item_differs")}
    assert [message[-len(said) :] for message in refusal.value.messages] == [said]


def test_a_price_written_as_a_number_is_the_price_that_is_there(catalogue: None, content: Any) -> None:
    content["products"][0]["monthly_price"] = 70.0
    content["toll_free_packages"][0]["per_minute"] = 0.045
    with nothing_written():
        assert counts(load_catalogue(content)) == (0, 0)


def test_an_unknown_edition_of_a_new_item_is_an_error(db: None, content: Any) -> None:
    content["channels"][0]["only_for"] = ["cc-gold", "cc-pro"]
    with nothing_written(), pytest.raises(ValidationError, match="channel-voice is only for cc-gold, not the SKU"):
        load_catalogue(content)


def test_all_contradictions_are_told_at_once(catalogue: None, content: Any) -> None:
    content["products"][0] |= {"name": "Pro", "charged_per": "account"}
    content["products"][1]["monthly_price"] = "1.00"
    with nothing_written(), pytest.raises(ValidationError) as refusal:
        load_catalogue(content)
    assert [message.split(" ")[0] for message in refusal.value.messages] == ["cc-pro:", "cc-pro:", "cc-elite"]


def test_nothing_is_sold_before_the_first_price(catalogue: None) -> None:
    assert catalogue_on(date(2025, 12, 31)) == {}
    assert len(catalogue_on(date(2026, 1, 1))) == COUNT


def drop_a_section(content: Any) -> None:
    del content["channels"]


def break_the_day(content: Any) -> None:
    content["effective_from"] = "soon"


def no_day(content: Any) -> None:
    content["effective_from"] = None


def price_in_words(content: Any) -> None:
    content["products"][1]["monthly_price"] = "cheap"


def no_price(content: Any) -> None:
    del content["addons"][5]["monthly_price"]


def unknown_charge(content: Any) -> None:
    content["products"][0]["charged_per"] = "mile"


def minutes_in_words(content: Any) -> None:
    content["toll_free_packages"][-1]["minutes"] = "many"


def rows_of_text(content: Any) -> None:
    content["channels"] = ["channel-voice"]


@pytest.mark.parametrize(
    "broken",
    [
        drop_a_section,
        break_the_day,
        no_day,
        price_in_words,
        no_price,
        unknown_charge,
        minutes_in_words,
        rows_of_text,
    ],
)
def test_a_broken_form_adds_nothing(db: None, content: Any, broken: Callable[[Any], None]) -> None:
    broken(content)
    with nothing_written(), pytest.raises(ValidationError) as refusal:
        load_catalogue(content)
    assert codes(refusal.value) == {("__all__", "catalogue_form")}


@pytest.mark.parametrize(
    ("section", "place", "field", "value"),
    [
        ("toll_free_packages", -1, "monthly_price", "-1.00"),
        ("toll_free_packages", -1, "monthly_price", "NaN"),
        ("toll_free_packages", -1, "per_minute", None),
        ("toll_free_packages", -1, "minutes", 500),
        ("toll_free_packages", -1, "minutes", -1),
        ("toll_free_packages", -1, "default", True),
        ("recording_storage", -1, "per_minute", "0.1000"),
        ("recording_storage", -1, "sku", "Storage 1000"),
        ("products", 1, "charged_per", "account"),
        ("channels", -1, "name", ""),
    ],
)
def test_one_impossible_row_stops_them_all(
    db: None, content: Any, section: str, place: int, field: str, value: object
) -> None:
    content[section][place][field] = value
    with nothing_written(), pytest.raises(ValidationError):
        load_catalogue(content)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("toll_free_packages", "minutes", 600),
        ("channels", "charged_per", "account"),
        ("addons", "charged_per", "account"),
    ],
)
def test_an_item_that_differs_is_refused(
    catalogue: None, content: Any, section: str, field: str, value: object
) -> None:
    content["effective_from"] = tomorrow().isoformat()
    content[section][1][field] = value
    content[section][0]["monthly_price"] = "99.00"
    with nothing_written(), pytest.raises(ValidationError) as refusal:
        load_catalogue(content)
    assert codes(refusal.value) == {("__all__", "item_differs")}


def test_an_item_of_another_kind_is_refused(catalogue: None, content: Any) -> None:
    content["addons"].append(content["channels"].pop())
    with nothing_written(), pytest.raises(ValidationError) as refusal:
        load_catalogue(content)
    assert codes(refusal.value) == {("__all__", "item_differs")}


@pytest.mark.parametrize("sku", ["cc-pro", "channel-chat", "storage-25", "tf-payperuse"])
@pytest.mark.owner
def test_a_confirmation_is_stale_once_a_price_of_what_is_wanted_changed(
    installed: Account, owner: User, sku: str
) -> None:
    center = contact_center_of(installed)
    today = installed.day_of(database_now())
    wanted = replace(held_by(center), seats=2, channels=frozenset({"channel-chat"}), storage="storage-25")
    shown = propose_subscription(installed, wanted, by=owner).confirmation_digest
    item = Item.objects.get(sku=sku)
    per_minute = Decimal("0.0900") if item.kind == ItemKind.PACKAGE else None
    day = today - timedelta(days=1)
    with writing_history():
        Price.objects.create(item=item, effective_from=day, monthly_price=Decimal(1), per_minute=per_minute)
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        change_subscription(installed, wanted, by=owner, confirmation=Confirmation(uuid4(), shown))
    assert codes(refusal.value) == {("__all__", "stale")}


@pytest.mark.owner
def test_a_price_of_something_else_leaves_the_confirmation_good(installed: Account, owner: User) -> None:
    center = contact_center_of(installed)
    today = installed.day_of(database_now())
    wanted = replace(held_by(center), seats=2)
    shown = propose_subscription(installed, wanted, by=owner).confirmation_digest
    with writing_history():
        Price.objects.create(item=Item.objects.get(sku="addon-crm"), effective_from=today, monthly_price=Decimal(1))
    assert change_subscription(installed, wanted, by=owner, confirmation=Confirmation(uuid4(), shown)).version == 1


@pytest.mark.parametrize(("sku", "per_minute"), [("tf-500", None), ("cc-pro", Decimal("0.0100"))])
def test_packages_alone_have_a_price_per_minute(catalogue: None, sku: str, per_minute: Decimal | None) -> None:
    price = Price(
        item=Item.objects.get(sku=sku), effective_from=date(2027, 1, 1), monthly_price=1, per_minute=per_minute
    )
    with pytest.raises(ValidationError) as refusal:
        price.full_clean()
    assert codes(refusal.value) == {("per_minute", "per_minute")}
