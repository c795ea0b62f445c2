"""How a change that was found good is written: what is held now, the change, and its rows of the ledger."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.history import credit
from accounts.models import User
from subscriptions.ledger import Held, Rewrite, Row, rewrite
from subscriptions.models import Change, ContactCenter, Holding, Item, Slot
from subscriptions.rules import Catalogue, Subscription


def write_change(
    center: ContactCenter,
    wanted: Subscription,
    *,
    catalogue: Catalogue,
    by: User,
    now: datetime,
    confirmation: UUID | None = None,
) -> Change:
    """Make the Contact Center hold `wanted` from `now` on, and return the change. The caller holds the account's lock.

    The first change of a Contact Center, made by install, has version 0.
    """
    center.seats = wanted.seats
    center.storage = catalogue[wanted.storage]
    center.package = catalogue[wanted.package]
    center.version = 0 if center.pk is None else center.version + 1
    credit(center, by, now).save()
    change = Change.objects.create(
        account_id=center.account_id,
        version=center.version,
        confirmation=confirmation,
        by=by,
        at=now,
        day=center.account.decided_day(now),
    )
    outcome = rewrite_ledger(center, wanted, catalogue=catalogue, now=now)
    written = [
        Holding(
            account_id=center.account_id,
            item_id=row.held.item,
            slot=slot,
            quantity=row.held.quantity,
            period=DateRange(row.start, row.end),
            change=change,
        )
        for slot, place in outcome.items()
        for row in place.written
    ]
    superseded = [key for place in outcome.values() for key in place.superseded]
    Holding.objects.filter(pk__in=superseded).update(superseded_by=change)
    Holding.objects.bulk_create(written)
    return change


def rewrite_ledger(
    center: ContactCenter, wanted: Subscription, *, catalogue: Catalogue, now: datetime
) -> dict[int, Rewrite]:
    """Return how each place of the ledger would change if `wanted` were held from `now` on. One query, no write."""
    today, day_begins = center.account.day_of(now), center.account.begins_day(now)
    rows: dict[int, list[Row]] = {}
    for holding in _reaching(center, today):
        rows.setdefault(holding.slot, []).append(_row(holding))
    places = _places(center, wanted, catalogue)
    return {
        slot: rewrite(
            rows.get(slot, []),
            places.get(slot),
            today=today,
            day_begins=day_begins,
            reductions_wait=slot == Slot.PACKAGE,
        )
        for slot in rows.keys() | places.keys()
    }


def _reaching(center: ContactCenter, today: date) -> Iterator[Holding]:
    """Yield the valid rows of the ledger that count on `today` or later."""
    return (
        Holding.objects.valid()
        .filter(account=center.account_id, period__overlap=DateRange(today, None))
        .select_related("item")
        .iterator()
    )


def _row(holding: Holding) -> Row:
    return Row(_held(holding.item, holding.quantity), holding.period.lower, holding.period.upper, key=holding.pk)


def _held(item: Item, quantity: int = 1) -> Held:
    """Return what the ledger's arithmetic needs: storage and packages rank by size, seats by their number."""
    return Held(item.pk, quantity, rank=quantity + item.size)


def _places(center: ContactCenter, wanted: Subscription, catalogue: Catalogue) -> dict[int, Held]:
    """Return what stands in each place of the ledger from now on."""
    places: dict[int, Held] = {
        Slot.STORAGE: _held(catalogue[wanted.storage]),
        Slot.PACKAGE: _held(catalogue[wanted.package]),
    }
    if wanted.seats:
        places[Slot.PRODUCT] = _held(center.edition, wanted.seats)
    for sku in wanted.switched_on:
        item = catalogue[sku]
        places[item.pk] = _held(item)
    return places
