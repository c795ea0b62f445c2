"""The calls behind the minutes of an account: by day, by number, and one by one (R18)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, QuerySet, Sum

from accounts.models import Account
from billing.models import CallRecord

AT_ONCE = 2_000  # calls that are fetched together


@dataclass(frozen=True)
class NumberOfDay:
    """The calls to one number on a day, and their minutes."""

    number: str
    calls: int
    minutes: int


def charged_calls(account: Account, first: date, end: date) -> QuerySet[CallRecord]:
    """Return the account's calls that count on its bills, of the days from `first` to `end`, exclusive, in order."""
    calls = CallRecord.objects.charged().filter(account=account, day__gte=first, day__lt=end)
    return calls.order_by("started_at", "pk")


def by_number(calls: QuerySet[CallRecord]) -> list[NumberOfDay]:
    """Return the sums of these calls for each number, the one with the most minutes first. One query."""
    sums = calls.order_by().values("number").annotate(count=Count("pk"), total=Sum("minutes"))
    return [
        NumberOfDay(number, count, total)
        for number, count, total in sums.order_by("-total", "number").values_list("number", "count", "total")
    ]


def as_rows(account: Account, calls: QuerySet[CallRecord]) -> Iterator[Sequence[object]]:
    """Yield each call as cells of a CSV file: day, start in the account's zone, number, caller, seconds, minutes."""
    for call in calls.iterator(AT_ONCE):
        start = call.started_at.astimezone(account.zone)
        yield call.day and call.day.isoformat(), start.isoformat(), call.number, call.caller, call.seconds, call.minutes
