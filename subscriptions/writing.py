"""Writing a change that has passed all checks: what is held now, the change itself, and its rows of the ledger."""

from datetime import datetime
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.models import User
from core.history import attributed
from subscriptions.catalogue import in_force
from subscriptions.differences import places_of
from subscriptions.ledger import Rewrite, rewrite
from subscriptions.models import ContactCenter, Holding, Slot, SubscriptionChange
from subscriptions.rules import Catalogue, Subscription


def write_change(
    center: ContactCenter,
    wanted: Subscription,
    *,
    catalogue: Catalogue,
    by: User,
    now: datetime,
    confirmation: UUID | None = None,
) -> SubscriptionChange:
    """Make the Contact Center hold `wanted` from `now` on, and return the change.

    The caller must hold the account's lock. The first change of a Contact Center, its install, has version 0.
    """
    center.seats = wanted.seats
    center.storage = catalogue[wanted.storage]
    center.package = catalogue[wanted.package]
    center.version = 0 if center.pk is None else center.version + 1
    attributed(center, to=by, at=now).save()
    change = SubscriptionChange.objects.create(
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
    """Return how each slot of the ledger would change if `wanted` were held from `now` on. One query, no write."""
    before = in_force(center, now)
    places = places_of(wanted, edition=center.edition, catalogue=catalogue)
    return {
        slot: rewrite(
            before.rows.get(slot, []),
            places.get(slot),
            today=before.today,
            day_begins=before.at_once,
            reductions_wait=slot == Slot.PACKAGE,
        )
        for slot in before.rows.keys() | places.keys()
    }
