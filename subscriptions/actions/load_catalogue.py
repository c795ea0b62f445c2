"""The action that adds the items and prices of a catalog file."""

from collections.abc import Iterable, Iterator, Mapping, MutableSequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from core.clock import database_now
from subscriptions.catalogue import amount_in_words, item_sale_refusal
from subscriptions.kinds import KINDS
from subscriptions.models import ChargedPer, Item, ItemKind, Price
from subscriptions.sale import past_price_refusal

SECTIONS = {kind.section: kind for kind in KINDS}


@dataclass(frozen=True)
class Loaded:
    """What a catalog file adds: items, and prices with their items, in the order of the file."""

    items: MutableSequence[Item]
    prices: MutableSequence[Price]


@transaction.atomic
def load_catalogue(content: Mapping[str, Any], *, dry_run: bool = False, now: datetime | None = None) -> Loaded:
    """Add the items and prices of a catalog file that don't exist yet, and return them. A dry run writes nothing.

    An item without a Spanish name gets the file's.

    The format is that of `catalogue.json`: `effective_from`, and a list for each of SECTIONS. Raises
    ValidationError, and adds nothing, if the file has another format, contradicts the catalog (the errors name each
    item and both values), has a price for a day that has begun for an item that had one then, or would put two items of
    one size on sale.
    """
    try:
        day = date.fromisoformat(content["effective_from"])
        given = [kind for name, kind in SECTIONS.items() if name in content or not kind.may_be_left_out]
        rows = [(kind.kind, row) for kind in given for row in content[kind.section]]
        parsed = [(_item(kind, row), _price(row, day)) for kind, row in rows]
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ValidationError(
            f"The catalogue is not of the expected form: {error!r}.", code="catalogue_form"
        ) from error
    now = now or database_now()
    # In the order of their keys, like all code that locks items; the guard on a new price would lock them one by one.
    locked = Item.objects.select_for_update(no_key=True).prefetch_related("prices").order_by("pk")
    existing = {item.sku: item for item in locked}
    products = {
        item.sku for item in (*existing.values(), *(item for item, _ in parsed)) if item.kind == ItemKind.PRODUCT
    }
    loaded = Loaded([], [])
    errors: list[ValidationError] = []
    for item, price in parsed:
        stored = existing.get(item.sku)
        if unknown := set(item.only_for) - products:
            errors.append(_difference_refusal(f"{item.sku} is only for {_listed(unknown)}, not the SKU of a product."))
        elif stored and (differences := list(_differences(stored, item))):
            errors += differences
        else:
            if stored and item.name_es and not stored.name_es:
                stored.name_es = item.name_es
                stored.save()
            if stored is None:
                _save(item, item)
                loaded.items.append(item)
                existing[item.sku] = stored = item
            _add_price(stored, price, loaded, errors, now)
    if errors:
        raise ValidationError(errors)
    if dry_run:
        transaction.set_rollback(True)
    return loaded


def _add_price(item: Item, price: Price, loaded: Loaded, errors: list[ValidationError], now: datetime) -> None:
    """Add the price unless the item has it already; if it can't be added, append the reason to `errors`."""
    others = {other.effective_from: other for other in item.prices.all()}
    day = price.effective_from
    if same := others.get(day):
        if (same.monthly_price, same.per_minute) != (price.monthly_price, price.per_minute):
            errors.append(
                _difference_refusal(
                    f"{item.sku} costs {amount_in_words(same)} from {day}, and {amount_in_words(price)} in the file."
                )
            )
        return
    refusal = past_price_refusal(item.sku, day, others=others, now=now)
    if refusal is None and not any(other < day for other in others):
        refusal = item_sale_refusal(item, day, item.withdrawn_from)
    if refusal is not None:
        errors.append(refusal)
        return
    price.item = item
    _save(price, item)
    loaded.prices.append(price)


COMPARED = {
    "name": "the name",
    "name_es": "the name in Spanish",
    "kind": "the kind",
    "size": "the size",
    "charged_per": "charged per",
    "held_at_install": "held from the moment of install",
    "only_for": "only for",
}


def _differences(stored: Item, item: Item) -> Iterator[ValidationError]:
    """Yield an error for each value of an item in the file that differs from the one in the catalog."""
    for field, words in COMPARED.items():
        was, now = getattr(stored, field), getattr(item, field)
        if field == "name_es" and not (was and now):
            continue  # one of them doesn't say
        if field == "only_for":
            was, now = _listed(was), _listed(now)
        if was != now:
            yield _difference_refusal(f"{item.sku}: {words}: “{was}” in the catalogue, “{now}” in the file.")


def _difference_refusal(words: str) -> ValidationError:
    return ValidationError(words, code="item_differs")


def _listed(skus: Iterable[str]) -> str:
    return ", ".join(sorted(skus)) or "all products"


def _save(row: Item | Price, item: Item) -> None:
    """Save a new row. Raises a ValidationError that names the item if the row isn't valid."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise ValidationError(f"{item.sku}: {' '.join(error.messages)}", code="item_invalid") from error
    row.save()


def _price(row: Mapping[str, Any], day: date) -> Price:
    per_minute = row.get("per_minute")
    return Price(
        effective_from=day,
        monthly_price=_usd(row["monthly_price"]),
        per_minute=None if per_minute is None else _usd(per_minute),
    )


def _usd(written: object) -> Decimal:
    """Return an amount exactly as it is written in the file; the binary float itself would differ from it.

    Raises ValueError, or ArithmeticError, if it is not an amount.
    """
    amount = Decimal(str(written))
    if not amount.is_finite():
        raise ValueError(f"{written} is not an amount")
    return amount


def _item(kind: ItemKind, row: Mapping[str, Any]) -> Item:
    return Item(
        sku=row["sku"],
        name=row["name"],
        name_es=row.get("name_es", ""),
        kind=kind,
        charged_per=ChargedPer(row.get("charged_per", "account")),
        size=int(row.get("minutes", row.get("gigabytes", 0))),
        held_at_install=bool(row.get("default") or row.get("included")),
        only_for=list(row.get("only_for", [])),
    )
