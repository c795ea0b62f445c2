"""Reading the events of an account from the sources of every app, by one query."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet

from accounts.events.registry import all_sources
from accounts.events.sources import Entry
from accounts.events.values import Cursor, Event, Wanted
from accounts.models import Account, User
from accounts.models.account import customers_of

CHUNK = 5_000


def recent_events(account: Account, limit: int, *, for_team: bool = False) -> list[Event]:
    """Return up to `limit` of an account's latest events, newest first. One query."""
    return list(_read(account, Wanted(for_team=for_team), limit))


@dataclass(frozen=True)
class EventPage:
    """A page of events, newest first. `older` is the cursor of the next page, or None on the last page."""

    events: Sequence[Event]
    older: Cursor | None


def event_page(account: Account, wanted: Wanted, size: int) -> EventPage:
    """Return the first page of the wanted events, with up to `size` of them. One query."""
    events = list(_read(account, wanted, size + 1))
    return EventPage(events[:size], events[size - 1].cursor if len(events) > size else None)


def events_of(account: Account, wanted: Wanted) -> Iterator[Event]:
    """Yield all of the wanted events, newest first. One query for every 5,000."""
    while True:
        page = event_page(account, wanted, CHUNK)
        yield from page.events
        if page.older is None:
            return
        wanted = replace(wanted, before=page.older)


def people_of(account: Account) -> QuerySet[User]:
    """Return the customers who are or were contacts of an account, by name."""
    return customers_of(account).order_by("first_name", "last_name", "email")


def _read(account: Account, wanted: Wanted, limit: int) -> Iterator[Event]:
    sources = all_sources()
    asked: list[QuerySet[Any, Any]] = [
        # Each part has its own limit, so that the database reads no more rows of a table than could be shown.
        source.entries(account, wanted, source=place).order_by("-event_at", "-event_key")[:limit]
        for place, source in enumerate(sources)
        if wanted.kind in ("", source.kind)
    ]
    if not asked:
        return
    rows = asked[0]
    if len(asked) > 1:
        rows = rows.union(*asked[1:], all=True).order_by("-event_at", "event_source", "-event_key")[:limit]
    for at, place, key, by, now, was in rows:
        yield sources[place].event(account, Entry(Cursor(at, place, key), by, now, was or {}))
