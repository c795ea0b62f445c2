"""Queries for the catalog and for what is held, and loading a catalog file."""

from collections.abc import Iterable, Iterator, Mapping, MutableSequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Min

from core.clock import database_now
from core.money import money, rate
from onboarding import rules as mode
from onboarding.refusals import not_installed_refusal
from subscriptions.differences import InForce, held
from subscriptions.kinds import KINDS, by_field
from subscriptions.ledger import Row
from subscriptions.models import ChargedPer, ContactCenter, Holding, Item, ItemKind, Price, Slot
from subscriptions.rules import Catalogue, Subscription
from subscriptions.sale import Sale, past_price_refusal, sale_refusal

SECTIONS = {kind.section: kind for kind in KINDS}


@dataclass(frozen=True)
class Waiting:
    """A package that still counts until the day `until`, when the smaller one that was chosen replaces it."""

    counting: Item
    until: date


def catalogue_on(day: date) -> Catalogue:
    """Return every item that has a price on a day, by SKU, annotated with that price. One query.

    That includes items that were withdrawn from sale, since accounts may hold them. `rules.offered` returns what can be
    chosen.
    """
    return {item.sku: item for item in Item.objects.priced(day)}


def items_by_sku() -> dict[str, tuple[str, str]]:
    """Return the name and kind of every item by SKU. One query."""
    return {sku: (name, kind) for sku, name, kind in Item.objects.values_list("sku", "name", "kind")}


def contact_center_of(account: Any) -> ContactCenter:
    """Return the account's Contact Center with its items and the account's mode.

    Raises ValidationError if the account has none.
    """
    found = (
        ContactCenter.objects.select_related("account__onboarding", "edition", "storage", "package")
        .filter(account=account)
        .first()
    )
    if found is None:
        raise not_installed_refusal(account.number)
    return found


def held_by(center: ContactCenter) -> Subscription:
    """Return what a Contact Center holds as chosen last, even if a part is still waiting to take effect. One query."""
    switched_on = (
        Holding.objects.open().filter(account=center.account_id, slot__gt=0).values_list("item__sku", "item__kind")
    )
    return Subscription(
        seats=center.seats,
        storage=center.storage.sku,
        package=center.package.sku,
        by_field=by_field(switched_on),
    )


def in_force(center: ContactCenter, now: datetime) -> InForce:
    """Return what counts as held from today on: what is in force now, and what will replace it. One query."""
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
    """Return the larger package that still counts, and the day the chosen one replaces it, or None if none waits."""
    for row in in_force.rows.get(Slot.PACKAGE, ()):
        if row.start <= in_force.today and row.held.item != center.package_id and row.end is not None:
            return Waiting(in_force.items[row.held.item], row.end)
    return None


@dataclass(frozen=True)
class Loaded:
    """What a catalog file adds: items, and prices with their items, in the order of the file."""

    items: MutableSequence[Item]
    prices: MutableSequence[Price]


@transaction.atomic
def load_catalogue(content: Mapping[str, Any], *, dry_run: bool = False, now: datetime | None = None) -> Loaded:
    """Add the items and prices of a catalog file that don't exist yet, and return them. A dry run writes nothing.

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


def item_sale_refusal(item: Item, first: date | None, withdrawn_from: date | None) -> ValidationError | None:
    """Return why an item can't be on sale from `first` until `withdrawn_from` because of another of its size, or None.

    `first` is the day of its first price. Locks all items of its size, so that none of the others can get a price or be
    withdrawn until the caller's transaction ends.
    """
    if first is None or item.kind not in (ItemKind.STORAGE, ItemKind.PACKAGE):
        return None
    of_size = Item.objects.filter(kind=item.kind, size=item.size).select_for_update(no_key=True).order_by("pk")
    others = {other.pk: other for other in of_size if other.pk != item.pk}
    starts = Price.objects.filter(item__in=others).order_by().values("item").annotate(first=Min("effective_from"))
    sales = [
        Sale(others[key].name, start, others[key].withdrawn_from) for key, start in starts.values_list("item", "first")
    ]
    return sale_refusal(Sale(item.name, first, withdrawn_from), sales)


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
        if field == "only_for":
            was, now = _listed(was), _listed(now)
        if was != now:
            yield _difference_refusal(f"{item.sku}: {words}: “{was}” in the catalogue, “{now}” in the file.")


def _difference_refusal(words: str) -> ValidationError:
    return ValidationError(words, code="item_differs")


def _listed(skus: Iterable[str]) -> str:
    return ", ".join(sorted(skus)) or "all products"


def amount_in_words(price: Price) -> str:
    """Return a price as text, like `$18.00 a month and $0.042 a minute`."""
    usage = "" if price.per_minute is None else f" and {rate(price.per_minute)} a minute"
    return f"{money(price.monthly_price)} a month{usage}"


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
        kind=kind,
        charged_per=ChargedPer(row.get("charged_per", "account")),
        size=int(row.get("minutes", row.get("gigabytes", 0))),
        held_at_install=bool(row.get("default") or row.get("included")),
        only_for=list(row.get("only_for", [])),
    )
