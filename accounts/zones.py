"""Time zones and their rules, which come only from the pinned package `tzdata` (R34, billing policy 15).

Python's `zoneinfo` reads no other source (see config/settings.py), and SQL has the same rules in a table
(`accounts.zone_rules`). So Python and SQL always agree on the local day of an instant. Nothing here makes a query.
"""

import zoneinfo
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import tzdata
from django.db.models import BooleanField, Case, CharField, DateField, F, Func, Value, When

RULES: Final = tzdata.IANA_VERSION
FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # for earlier instants, SQL uses the offset of this one
LAST: Final = datetime(2075, 1, 1, tzinfo=UTC)
STEP: Final = timedelta(days=21)  # since FIRST, no zone has changed its offset and changed it back within 21 days
MINUTE: Final = 60


@cache
def places() -> Mapping[str, str]:
    """Return every place with its own time zone rules, and the name of its country: `Europe/Oslo: Norway`.

    `UTC` is included, with an empty country.
    """
    countries = dict(row[:2] for row in _table("iso3166.tab"))
    return {"UTC": "", **{row[2]: countries.get(row[0], "") for row in sorted(_table("zone.tab"), key=lambda r: r[2])}}


def _table(name: str) -> list[list[str]]:
    """Return the rows of one of the package's tables, each as a list of cells."""
    lines = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


@lru_cache(maxsize=1024)
def known_zone(name: str) -> zoneinfo.ZoneInfo | None:
    """Return the zone of this name, or None if the pinned rules don't have it."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def known_zones() -> Sequence[zoneinfo.ZoneInfo]:
    """Return every zone of the pinned rules."""
    found = (known_zone(name) for name in sorted(zoneinfo.available_timezones()))
    return [zone for zone in found if zone is not None]


def offsets_of(zone: zoneinfo.ZoneInfo, first: datetime = FIRST, last: datetime = LAST) -> list[tuple[datetime, int]]:
    """Return a zone's offsets from UTC as (from, seconds): one at `first`, and one for each change until `last`."""
    start, end, step = (int(moment.timestamp()) for moment in (first, last, first + STEP))
    step -= start
    at, offset = start, _offset(zone, start)
    found = [(first, offset)]
    while at < end:
        following = at + step
        if (then := _offset(zone, following)) != offset:
            # Offsets change at whole minutes: bisect to the minute of the change.
            before, after = at // MINUTE, following // MINUTE
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (before, middle) if _offset(zone, middle * MINUTE) != offset else (middle, after)
            found.append((datetime.fromtimestamp(after * MINUTE, UTC), then))
            offset = then
        at = following
    return found


def _offset(zone: zoneinfo.ZoneInfo, timestamp: int) -> int:
    shift = datetime.fromtimestamp(timestamp, zone).utcoffset()
    assert shift is not None
    return shift.days * 86_400 + shift.seconds


def day_in(zone: zoneinfo.ZoneInfo, moment: datetime) -> date:
    """Return the calendar day of an instant in a zone."""
    return moment.astimezone(zone).date()


def zones_at(now: datetime, *, until_hour: int) -> list[str]:
    """Return the names of the zones in which, at the instant `now`, the hour of the day is less than `until_hour`."""
    return [zone.key for zone in known_zones() if now.astimezone(zone).hour < until_hour]


def today_in(timezone: str, now: datetime, *, later: int = 0) -> Case:
    """Return an expression for the calendar day of `now` in each row's time zone, plus `later` days.

    `timezone` is the path of the column. A row whose zone is not known gets the day in UTC, so that one bad account
    doesn't break a list for all others (I28).
    """
    more = timedelta(days=later)
    here = now.astimezone(UTC).date()
    other = [When(in_zones(timezone, names), Value(day + more)) for day, names in _zones_by_day(now) if day != here]
    return Case(*other, default=Value(here + more), output_field=DateField())


def in_zones(timezone: str, names: Sequence[str]) -> Func:
    """Return the condition that the column `timezone` is one of these zones, which are usually hundreds.

    They are one array, written as text, because a parameter for each would take longer than the rest of a query.
    """
    zones = Value("{" + ",".join(names) + "}", output_field=CharField())
    return Func(
        F(timezone), zones, template="%(expressions)s::text[])", arg_joiner=" = ANY(", output_field=BooleanField()
    )


@lru_cache(maxsize=16)
def _zones_by_day(now: datetime) -> Sequence[tuple[date, list[str]]]:
    """Return each calendar day at an instant, with its zones; a list or a job asks several times for one instant."""
    zones: defaultdict[date, list[str]] = defaultdict(list)
    for zone in known_zones():
        zones[day_in(zone, now)].append(zone.key)
    return list(zones.items())
