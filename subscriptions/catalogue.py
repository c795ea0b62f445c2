"""Queries for the catalog and for what is held, and why an item or price can't be saved."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Min
from django.utils.translation import get_language

from core.dates import day_in_words
from core.money import money, rate
from onboarding import rules as mode
from onboarding.refusals import not_installed_refusal
from subscriptions.differences import InForce, held
from subscriptions.kinds import by_field
from subscriptions.ledger import Row
from subscriptions.models import ContactCenter, Holding, Item, ItemKind, Price, Slot
from subscriptions.rules import Catalogue, Subscription
from subscriptions.sale import Sale, first_day_to_withdraw_from, past_price_refusal, sale_refusal


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
    """Return the name and kind of every item by SKU, the name in the active language. One query."""
    language = get_language() or "en"
    items = Item.objects.only("sku", "name", "name_es", "kind")
    return {item.sku: (item.name_in(language), item.kind) for item in items}


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


def price_refusals(
    item: Item, saved: Sequence[Price], *, removed: Collection[Price] = (), now: datetime
) -> Iterator[tuple[Price, ValidationError]]:
    """Yield each new or changed price of an item that can't start on its day, with the reason (R24; policy 18).

    `saved` and `removed` are saved and removed together; the item's other prices stay. Locks all items of its size.
    """
    replaced = [price.pk for price in (*saved, *removed) if price.pk]
    kept = Price.objects.filter(item=item.pk).exclude(pk__in=replaced)
    days = set(kept.values_list("effective_from", flat=True))
    for price in saved:
        beside = days | {other.effective_from for other in saved if other is not price}
        if refusal := past_price_refusal(
            item.name, price.effective_from, others=beside, now=now, is_moved=price.pk is not None
        ):
            yield price, refusal
    first = min(saved, key=attrgetter("effective_from"), default=None)
    if first is None or any(day < first.effective_from for day in days):
        return
    if refusal := item_sale_refusal(item, first.effective_from, item.withdrawn_from):
        yield first, refusal


def unknown_products_refusal(skus: Iterable[str]) -> ValidationError | None:
    """Return why an item can't be only for these SKUs, or None if all of them are products. One query."""
    unknown = set(skus) - set(Item.objects.of_kind(ItemKind.PRODUCT).values_list("sku", flat=True))
    if not unknown:
        return None
    return ValidationError(f"Not the SKU of a product: {', '.join(sorted(unknown))}.", code="unknown_product")


def withdrawal_refusal(item: Item, day: date | None, now: datetime) -> ValidationError | None:
    """Return why an item can't be withdrawn from a day, or stay on sale if `day` is None; None if it can.

    Locks all items of its size.
    """
    first = first_day_to_withdraw_from(now)
    if day and day < first:
        return ValidationError(
            f"An item can be withdrawn from {day_in_words(first)} on, not from a day that is over.",
            code="withdrawn_in_the_past",
        )
    return item_sale_refusal(item, item.prices.aggregate(first=Min("effective_from"))["first"], day)


def amount_in_words(price: Price) -> str:
    """Return a price as text, like `$18.00 a month and $0.042 a minute`."""
    usage = "" if price.per_minute is None else f" and {rate(price.per_minute)} a minute"
    return f"{money(price.monthly_price)} a month{usage}"
