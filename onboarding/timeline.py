"""The timeline of an account for the Onboarding team: the customer's events, and what only the team may see.

It has no table of its own; it is read from history, notes and notices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.events import FieldChange, recent_events
from accounts.models import Account
from onboarding.audit import PLAN_EVENTS
from onboarding.models import DeadlineRule, Note, Notice, Onboarding

SYSTEM: Final = "System"


@dataclass(frozen=True)
class Moment:
    """An entry of the timeline, as text."""

    at: datetime
    what: str
    who: str
    more: str = ""


def timeline(account: Account, limit: int) -> list[Moment]:
    """Return the latest entries of an account's timeline, newest first. Four queries."""
    moments = [*_events(account, limit), *_plans(account, limit), *_notes(account, limit), *_notices(account, limit)]
    return sorted(moments, key=lambda moment: moment.at, reverse=True)[:limit]


def _events(account: Account, limit: int) -> Iterator[Moment]:
    plans = {gettext(action) for action in PLAN_EVENTS}
    for event in recent_events(account, limit, for_team=True):
        if event.action in plans and not event.is_refused:
            continue  # `_plans` yields it, with the team's reason
        changes = [_changed(change) for change in event.changes]
        what = f"Refused: {event.action}" if event.is_refused else event.action
        more = ". ".join(filter(None, [event.item, *changes, event.note]))
        yield Moment(event.at, what, event.person, more)


def _changed(change: FieldChange) -> str:
    if not change.before:
        return f"{change.label}: {change.after}"
    return f"{change.label}: {change.before} → {change.after or 'nothing'}"


def _plans(account: Account, limit: int) -> Iterator[Moment]:
    """Yield what the team planned, by comparing each history row with the one before it."""
    rows = Onboarding.history.filter(account=account.pk).select_related("history_user", "owner")
    for after, before in pairwise(rows.order_by("-history_id")[: limit + 1]):
        who = str(after.history_user or SYSTEM)
        for what, more in _differences(before, after):
            yield Moment(after.history_date, what, who, more)


def _differences(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    if before.owner_id != after.owner_id:
        yield "Owner assigned", str(after.owner) if after.owner else "Nobody looks after the account"
    deadline = ("deadline_rule", "deadline_on", "deadline_reason")
    if any(getattr(before, name) != getattr(after, name) for name in deadline):
        yield _deadline(after), after.deadline_reason
    if (before.scheduled_on, before.schedule_reason) != (after.scheduled_on, after.schedule_reason):
        if after.scheduled_on is None:
            yield "Schedule cancelled", f"It was for {date_format(before.scheduled_on)}"
        else:
            what = "moved to" if before.scheduled_on else "scheduled for"
            yield f"Activation {what} {date_format(after.scheduled_on)}", after.schedule_reason


def _deadline(row: Any) -> str:
    if row.deadline_rule == DeadlineRule.FIXED:
        return f"Deadline set to {date_format(row.deadline_on)}"
    return "Deadline removed" if row.deadline_rule == DeadlineRule.NONE else "Follows the deadline of the policy"


def _notes(account: Account, limit: int) -> Iterator[Moment]:
    for note in Note.objects.filter(account=account).select_related("written_by")[:limit]:
        yield Moment(note.written_at, "Note", str(note.written_by), note.text)


def _notices(account: Account, limit: int) -> Iterator[Moment]:
    for notice in Notice.objects.filter(account=account).select_related("to", "email")[:limit]:
        what = f"E-mail: {notice.get_kind_display()}"
        state = notice.email.get_state_display().lower()
        yield Moment(notice.email.created_at, what, SYSTEM, f"to {notice.to}, {state}")
