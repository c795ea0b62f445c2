"""What happened on an account: one list, read from the history, the refusals and the records that exist anyway (R19).

Each app lists where its events come from in its `audit.py`. All sources are read by one query.
"""

from accounts.events.reading import EventPage, event_page, events_of, people_of, recent_events
from accounts.events.values import Cursor, Event, EventKind, FieldChange, Wanted

__all__ = [
    "Cursor",
    "Event",
    "EventKind",
    "EventPage",
    "FieldChange",
    "Wanted",
    "event_page",
    "events_of",
    "people_of",
    "recent_events",
]
