"""What a purchase would change compared with what is in force, line by line. No queries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from django.utils.translation import gettext

from core.dates import day_in_words
from subscriptions.kinds import SWITCHED
from subscriptions.ledger import Held, Row, held_on, turn_of
from subscriptions.models import Item, ItemKind, Slot
from subscriptions.rules import Catalogue, Subscription


@dataclass(frozen=True)
class InForce:
    """The ledger from today on, by slot: what counts today, and what is waiting to replace it.

    `items` has the items of the rows by their keys. If `at_once`, nothing held earlier today is charged, so that a
    reduction takes effect today (billing policy 3 and 5).
    """

    rows: Mapping[int, Sequence[Row]]
    items: Mapping[int, Item]
    today: date
    at_once: bool


class Waiting(NamedTuple):
    """What will be held from `day` on in place of what is held today; None for nothing."""

    held: Held | None
    day: date


@dataclass(frozen=True)
class Difference:
    """One line of a purchase: the item, what is in force and what is wanted as text, and the day it takes effect.

    `before` also mentions a change that is waiting. `step` is the subscription after this line and those before it.
    """

    label: str
    before: str
    after: str
    item: Item
    from_day: date
    step: Subscription
    note: str = ""


def held(item: Item, quantity: int = 1) -> Held:
    """Return an item as the ledger's arithmetic needs it. Storage and packages rank by size, seats by their number."""
    return Held(item.pk, quantity, rank=quantity + item.size)


def places_of(wanted: Subscription, *, edition: Item, catalogue: Catalogue) -> dict[int, Held]:
    """Return what is in each slot of the ledger when `wanted` is held."""
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

    `chosen` is what was chosen last, parts of which may still be waiting to take effect. Each line compares `wanted`
    with what is in force, and notes if it only cancels a change that is waiting.
    """
    places = places_of(wanted, edition=edition, catalogue=catalogue)
    step = chosen

    def line(label: str, item: Item, slot: int, words: Callable[[Held | None], str]) -> Difference:
        place = _Place(in_force.rows.get(slot, ()), in_force.today)
        target = places.get(slot)
        waits = slot == Slot.PACKAGE
        # The same call as in `write_change`, so that the page shows the day that will be written.
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
    for kind in SWITCHED:
        for sku in sorted(wanted.skus_of(kind) ^ chosen.skus_of(kind)):
            step = step.toggled(kind, sku)
            item = catalogue[sku]
            yield line(item.name, item, item.pk, _on_or_off)
    if wanted.storage != chosen.storage:
        step = replace(step, storage=wanted.storage)
        yield line(str(ItemKind.STORAGE.label), catalogue[wanted.storage], Slot.STORAGE, named)
    if wanted.package != chosen.package:
        step = wanted
        yield line(str(ItemKind.PACKAGE.label), catalogue[wanted.package], Slot.PACKAGE, named)


class _Place:
    """One slot of the ledger: what counts in it today, and what is waiting to replace it."""

    def __init__(self, rows: Sequence[Row], today: date) -> None:
        self.rows = rows
        self.now = held_on(rows, today)
        coming = next((row for row in rows if row.start > today), None)
        ends = next((row.end for row in rows if row.start <= today and row.end is not None), None)
        day = coming.start if coming else ends
        self.waiting = Waiting(coming.held if coming else None, day) if day else None


def _note(place: _Place, wanted: Held | None, *, waits: bool) -> str:
    """Return sentences about a change that waits, or that replaces or cancels one that does; often an empty string."""
    sentences = [gettext("Smaller packages take effect on the 1st of next month.")] if waits else []
    if place.waiting:
        day = {"day": day_in_words(place.waiting.day)}
        if wanted == place.now:
            sentences.append(gettext("This cancels the change planned for %(day)s.") % day)
        else:
            sentences.append(gettext("This replaces the change planned for %(day)s.") % day)
    return " ".join(sentences)


def _count(seats: Held | None) -> str:
    return f"{seats.quantity:,}" if seats else "0"


def _on_or_off(switch: Held | None) -> str:
    return gettext("on") if switch else gettext("off")
