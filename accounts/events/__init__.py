"""The events of an account, for its audit log (R19).

They are read from tables that exist anyway: history, refusals and other records. Each app lists the sources of its
events in its `audit.py`, and one query reads all sources.
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
