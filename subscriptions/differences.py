"""What a purchase would change, line by line, compared with what is in force. No queries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from django.utils.translation import gettext

from core.dates import day_in_words
from subscriptions.ledger import Held, Row, held_on, turn_of
from subscriptions.models import Item, ItemKind, Slot
from subscriptions.rules import Catalogue, Subscription


@dataclass(frozen=True)
class InForce:
    """The ledger from today on, by place: what counts today, and what is waiting to replace it.

    `items` are the items of the rows by their keys. With `at_once`, what was held earlier today is not charged, so that
    a reduction counts today (billing-policy.md, 3 and 5).
    """

    rows: Mapping[int, Sequence[Row]]
    items: Mapping[int, Item]
    today: date
    at_once: bool


class Waiting(NamedTuple):
    """What replaces today's on a day; None: nothing."""

    held: Held | None
    day: date


@dataclass(frozen=True)
class Difference:
    """One line of a purchase: the item concerned, what is in force and what is wanted, and the day it counts from.

    `before` names a change that is waiting, too. `step` is what is held after this line and those before it.
    """

    label: str
    before: str
    after: str
    item: Item
    from_day: date
    step: Subscription
    note: str = ""


def held(item: Item, quantity: int = 1) -> Held:
    """Return what the ledger's arithmetic needs: storage and packages rank by size, seats by their number."""
    return Held(item.pk, quantity, rank=quantity + item.size)


def places_of(wanted: Subscription, *, edition: Item, catalogue: Catalogue) -> dict[int, Held]:
    """Return what stands in each place of the ledger when `wanted` is held."""
    places: dict[int, Held] = {
        Slot.STORAGE: held(catalogue[wanted.storage]),
        Slot.PACKAGE: held(catalogue[wanted.package]),
    }
    if wanted.seats:
        places[Slot.PRODUCT] = held(edition, wanted.seats)
    for sku in wanted.switched_on:
        item = catalogue[sku]
        places[item.pk] = held(item)
    return places


def differences(
    wanted: Subscription, *, chosen: Subscription, in_force: InForce, edition: Item, catalogue: Catalogue
) -> Iterator[Difference]:
    """Yield what a purchase would change, in the order of the page.

    `chosen` is what was chosen last, which may be waiting: a line compares with what is in force, and one that only
    takes back a change that is waiting says so.
    """
    places = places_of(wanted, edition=edition, catalogue=catalogue)
    step = chosen

    def line(label: str, item: Item, slot: int, words: Callable[[Held | None], str]) -> Difference:
        place = _Place(in_force.rows.get(slot, ()), in_force.today)
        target = places.get(slot)
        waits = slot == Slot.PACKAGE
        # As `write_change` will have it.
        day = turn_of(place.rows, target, today=in_force.today, day_begins=in_force.at_once, reductions_wait=waits)
        before = words(place.now)
        if place.waiting:
            before = gettext("%(now)s until %(last)s; %(then)s from %(day)s") % {
                "now": before,
                "last": day_in_words(place.waiting.day - timedelta(days=1)),
                "then": words(place.waiting.held),
                "day": day_in_words(place.waiting.day),
            }
        note = _note(place, target, waits=waits and day > in_force.today)
        return Difference(label, before, words(target), item, day, step, note)

    def named(place: Held | None) -> str:
        return names[place.item] if place else gettext("none")

    names = {item.pk: item.name for item in (*in_force.items.values(), *catalogue.values())}
    if wanted.seats != chosen.seats:
        step = replace(step, seats=wanted.seats)
        yield line(gettext("Seats"), catalogue[edition.sku], Slot.PRODUCT, _count)
    for field in ("channels", "addons"):
        for sku in sorted(getattr(wanted, field) ^ getattr(chosen, field)):
            step = replace(step, **{field: getattr(step, field) ^ {sku}})
            item = catalogue[sku]
            yield line(item.name, item, item.pk, _on_or_off)
    if wanted.storage != chosen.storage:
        step = replace(step, storage=wanted.storage)
        yield line(str(ItemKind.STORAGE.label), catalogue[wanted.storage], Slot.STORAGE, named)
    if wanted.package != chosen.package:
        step = wanted
        yield line(str(ItemKind.PACKAGE.label), catalogue[wanted.package], Slot.PACKAGE, named)


class _Place:
    """One place of the ledger: what counts in it today, and what is waiting."""

    def __init__(self, rows: Sequence[Row], today: date) -> None:
        self.rows = rows
        self.now = held_on(rows, today)
        coming = next((row for row in rows if row.start > today), None)
        ends = next((row.end for row in rows if row.start <= today and row.end is not None), None)
        day = coming.start if coming else ends
        self.waiting = Waiting(coming.held if coming else None, day) if day else None


def _note(place: _Place, wanted: Held | None, *, waits: bool) -> str:
    """Return what has to be said of a change besides its day; nothing for most."""
    said = [gettext("Smaller packages take effect on the 1st of next month.")] if waits else []
    if place.waiting:
        day = {"day": day_in_words(place.waiting.day)}
        if wanted == place.now:
            said.append(gettext("This cancels the change planned for %(day)s.") % day)
        else:
            said.append(gettext("This replaces the change planned for %(day)s.") % day)
    return " ".join(said)


def _count(seats: Held | None) -> str:
    return f"{seats.quantity:,}" if seats else "0"


def _on_or_off(switch: Held | None) -> str:
    return gettext("on") if switch else gettext("off")
