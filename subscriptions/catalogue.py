"""Reads of the catalogue and of what is held, and the loading of a catalogue file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from onboarding import rules as mode
from onboarding.actions import no_contact_center
from subscriptions.differences import InForce, held
from subscriptions.ledger import Row
from subscriptions.models import ChargedPer, ContactCenter, Holding, Item, Kind, Price, Slot
from subscriptions.rules import Catalogue, Subscription

SECTIONS = {
    "products": Kind.PRODUCT,
    "channels": Kind.CHANNEL,
    "addons": Kind.ADDON,
    "recording_storage": Kind.STORAGE,
    "toll_free_packages": Kind.PACKAGE,
}


@dataclass(frozen=True)
class Waiting:
    """A package that counts until a smaller one replaces it on a day."""

    counting: Item
    until: date


def catalogue_on(day: date) -> Catalogue:
    """Return what is sold on a day by SKU, each item with its price of that day. One query."""
    return {item.sku: item for item in Item.objects.priced(day)}


def items_by_sku() -> dict[str, tuple[str, str]]:
    """Return the name and kind of every item by SKU. One query."""
    return {sku: (name, kind) for sku, name, kind in Item.objects.values_list("sku", "name", "kind")}


def contact_center_of(account: Any) -> ContactCenter:
    """Return the account's Contact Center with its items and the account's mode; refused where there is none."""
    found = (
        ContactCenter.objects.select_related("account__onboarding", "edition", "storage", "package")
        .filter(account=account)
        .first()
    )
    if found is None:
        raise no_contact_center(account.number)
    return found


def held_by(center: ContactCenter) -> Subscription:
    """Return what a Contact Center holds from now on, as it would be asked for again. One query."""
    switched_on = (
        Holding.objects.open().filter(account=center.account_id, slot__gt=0).values_list("item__sku", "item__kind")
    )
    return Subscription(
        seats=center.seats,
        storage=center.storage.sku,
        package=center.package.sku,
        channels=frozenset(sku for sku, kind in switched_on if kind == Kind.CHANNEL),
        addons=frozenset(sku for sku, kind in switched_on if kind == Kind.ADDON),
    )


def in_force(center: ContactCenter, now: datetime) -> InForce:
    """Return what counts as held today, and what is waiting to replace it. One query."""
    today = center.account.day_of(now)
    reaching = Holding.objects.valid().filter(account=center.account_id, period__overlap=DateRange(today, None))
    rows: dict[int, list[Row]] = {}
    items: dict[int, Item] = {}
    for holding in reaching.select_related("item").order_by("period"):
        row = Row(held(holding.item, holding.quantity), holding.period.lower, holding.period.upper, key=holding.pk)
        rows.setdefault(holding.slot, []).append(row)
        items[holding.item_id] = holding.item
    at_once = mode.is_free_until(center.account.onboarding, now) or center.account.begins_day(now)
    return InForce(rows, items, today, at_once)


def waiting_package(center: ContactCenter, in_force: InForce) -> Waiting | None:
    """Return the larger package that still counts, and the day the chosen one replaces it; None where none waits."""
    for row in in_force.rows.get(Slot.PACKAGE, ()):
        if row.start <= in_force.today and row.held.item != center.package_id and row.end is not None:
            return Waiting(in_force.items[row.held.item], row.end)
    return None


@transaction.atomic
def load_catalogue(content: Mapping[str, Any]) -> tuple[int, int]:
    """Add the items and prices of a catalogue file that are not there yet; return how many of each were added.

    The form is that of `catalogue.json`: `effective_from`, and a list for each section. Raises ValidationError, and
    adds nothing, where the file is not of this form or an item in it differs from the one of that SKU.
    """
    try:
        day = date.fromisoformat(content["effective_from"])
        rows = [(kind, row) for section, kind in SECTIONS.items() for row in content[section]]
        parsed = [(_item(kind, row), _price(row, day)) for kind, row in rows]
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ValidationError(
            f"The catalogue is not of the expected form: {error!r}.", code="catalogue_form"
        ) from error
    items = prices = 0
    for item, price in parsed:
        existing = Item.objects.filter(sku=item.sku).first()
        if existing is None:
            _save(item, item)
            existing, items = item, items + 1
        elif (existing.kind, existing.size, existing.charged_per) != (item.kind, item.size, item.charged_per):
            raise ValidationError(f"{item.sku} is in the catalogue as something else.", code="item_differs")
        if not existing.prices.filter(effective_from=day).exists():
            price.item = existing
            _save(price, item)
            prices += 1
    return items, prices


def _save(row: Item | Price, item: Item) -> None:
    """Save a new row; refused in words that name the item where it is not valid."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise ValidationError(f"{item.sku}: {' '.join(error.messages)}", code="item_invalid") from error
    row.save()


def _price(row: Mapping[str, Any], day: date) -> Price:
    per_minute = row.get("per_minute")
    return Price(
        effective_from=day,
        monthly_price=Decimal(row["monthly_price"]),
        per_minute=None if per_minute is None else Decimal(per_minute),
    )


def _item(kind: Kind, row: Mapping[str, Any]) -> Item:
    return Item(
        sku=row["sku"],
        name=row["name"],
        kind=kind,
        charged_per=ChargedPer(row.get("charged_per", "account")),
        size=int(row.get("minutes", row.get("gigabytes", 0))),
        held_at_install=bool(row.get("default") or row.get("included")),
        only_for=list(row.get("only_for", [])),
    )
