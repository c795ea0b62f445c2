"""Notices that the feed of calls is silent (R47): no import for hours, or a day with far fewer minutes than usual.

A job looks once an hour and stores what it found. Pages, metrics and the system check only read that.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connections
from django.db.models import Min, Sum

from billing.models import CallFeed, CallImport, CallRecord
from core.dates import day_in_words

LOOKED_AT = timedelta(days=45)  # how old imports may be to be looked at: five weeks of calls, and late ones
LATE = timedelta(hours=12)  # after a UTC day, until it has ended everywhere and its calls have come in
WEEKS = 4
WORTH_A_LOOK = 100  # minutes on a usual day; with fewer, a low day says nothing


def look_at_feed(*, now: datetime) -> CallFeed:
    """Find out whether the feed is silent or low at `now`; store and return the result."""
    found = {"looked_at": now, "silent": silence(now), "low": low_day(now)}
    return CallFeed.objects.update_or_create(pk=1, defaults=found)[0]


def silence(now: datetime) -> str:
    """Return a sentence if no file was imported for too long.

    Otherwise, and before the first import, return an empty string.
    """
    hours = settings.CALL_FEED_SILENT_HOURS
    latest = CallImport.objects.filter(finished_at__isnull=False).order_by("-pk").first()
    if not hours or latest is None or latest.finished_at is None or now - latest.finished_at <= timedelta(hours=hours):
        return ""
    since = int((now - latest.finished_at) / timedelta(hours=1))
    return f"No calls were imported for {since:,} hours: the last file was “{latest.name}”."


def low_day(now: datetime) -> str:
    """Return a sentence if the last complete day has far fewer minutes than its weekday usually has.

    Otherwise return an empty string.
    """
    percent = settings.CALL_FEED_LOW_PERCENT
    day = (now - LATE).date() - timedelta(days=1)
    days = [day - timedelta(weeks=weeks) for weeks in range(WEEKS + 1)]
    minutes = minutes_on(days, since=now - LOOKED_AT)
    usual = median(minutes.get(each, 0) for each in days[1:])
    if usual < WORTH_A_LOOK or minutes.get(day, 0) * 100 >= usual * percent:
        return ""
    return f"{day_in_words(day)} has {minutes.get(day, 0):,} minutes; {usual:,.0f} are usual on that day of the week."


def minutes_on(days: Sequence[date], *, since: datetime) -> dict[date, int]:
    """Return the charged minutes by day, for the given days.

    Only records of imports since then are read: those are next to each other on the disk.
    """
    first = CallImport.objects.filter(started_at__gte=since).aggregate(first=Min("pk"))["first"]
    if first is None:
        return {}
    calls = CallRecord.objects.charged().filter(call_import__gte=first, day__in=days).order_by().values("day")
    by_day = calls.annotate(total=Sum("minutes")).values_list("day", "total")
    return {day: total for day, total in by_day if day}


def check_feed(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each thing that the last look found: never an error, which would take a site down."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        if alias not in connections:
            continue
        try:
            feed = CallFeed.objects.using(alias).first()
        except DatabaseError:
            continue  # before the first migrate, or without a server, which other checks report
        messages += [Warning(text, id="billing.W003") for text in (feed.warnings if feed else [])]
    return messages
