"""The last things that happened on an account's Contact Center, from the rows that record them. Two queries."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, F, QuerySet, TextField, Value
from django.db.models.functions import Cast

from accounts.models import Account, NumberAssignment, Refusal, ServiceUser, User
from onboarding.models import GoLiveRequest, Onboarding
from subscriptions.models import Change


@dataclass(frozen=True)
class Event:
    """Something that happened: its kind, what it was about, when, and who did it; None is the system."""

    kind: str
    what: str
    at: datetime
    by: User | None


def recent_events(account: Account, most: int) -> list[Event]:
    """Return the account's latest events, the newest first."""
    changes = Change.objects.filter(account=account)
    requests = GoLiveRequest.objects.filter(account=account)
    assignments = NumberAssignment.objects.filter(account=account)
    live = Onboarding.objects.active().filter(account=account)
    ended = assignments.exclude(period__endswith=None)
    people = ServiceUser.history.filter(account=account)
    number = Cast("number__number", TextField())
    sources = [
        _events(changes.filter(version=0), "installed", at="at", by="by_id"),
        _events(changes.exclude(version=0), "changed", at="at", by="by_id"),
        _events(live, "activated", at="activated_at", by="activated_by_id"),
        _events(requests, "asked", at="requested_at", by="requested_by_id"),
        _events(requests.exclude(withdrawn_at=None), "withdrew", at="withdrawn_at", by="withdrawn_by_id"),
        _events(assignments, "assigned", at="period__startswith", by="assigned_by_id", what=number),
        _events(ended, "unassigned", at="period__endswith", by="ended_by_id", what=number),
        _events(people.filter(history_type="+"), "listed", at="history_date", by="history_user_id", what=F("name")),
        _events(people.filter(history_type="~"), "role", at="history_date", by="history_user_id", what=F("name")),
        _events(Refusal.objects.filter(account=account), "refused", at="at", by="by_id", what=F("message")),
    ]
    rows = list(sources[0].union(*sources[1:], all=True).order_by("-event_at")[:most])
    users = User.objects.in_bulk({by for _, _, _, by in rows if by is not None})
    return [Event(kind, what, at, users.get(by)) for kind, what, at, by in rows]


def _events(rows: QuerySet, kind: str, *, at: str, by: str, what: F | Cast | None = None) -> QuerySet:
    """Return the rows as (kind, what, when, key of the user)."""
    return (
        rows.order_by()
        .annotate(
            event_kind=Value(kind, output_field=CharField()),
            event_what=Cast(what or Value(""), TextField()),
            event_at=F(at),
            event_by=F(by),
        )
        .values_list("event_kind", "event_what", "event_at", "event_by")
    )
