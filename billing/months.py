"""When months end in an account's time zone (billing-policy.md, 1), always by Python's zone rules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from accounts.zones import known_zone
from billing.pricing.charges import month_after

# In any time zone, a month ends at most this long before, and this long after, it ends in UTC.
FIRST_ZONE, LAST_ZONE = timedelta(hours=14), timedelta(hours=12)


class UnknownZone(ValueError):
    """Python doesn't know the account's time zone, so nobody can say when its months end."""

    def __init__(self, zone: str) -> None:
        super().__init__(f"The account's time zone {zone!r} is not known; an administrator can correct it.")


@lru_cache(maxsize=16_384)
def month_end(month: date, zone: str, days_after: int = 0) -> datetime:
    """Return the instant at which a month ends in a time zone, or at which `days_after` more days have passed there.

    Raises UnknownZone.
    """
    known = known_zone(zone)
    if known is None:
        raise UnknownZone(zone)
    return datetime.combine(month_after(month) + timedelta(days=days_after), time(0), tzinfo=known).astimezone(UTC)


@dataclass
class Ended:
    """Time zones and months that have ended there, in three lists of the same length. `ends` has the days after them.

    In an `unknown` zone, a month has ended when it has ended everywhere.
    """

    zones: list[str] = field(default_factory=list)
    months: list[date] = field(default_factory=list)
    ends: list[date] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)


def ended(months: Iterable[date], zones: Iterable[str], *, now: datetime, days_after: int = 0) -> Ended:
    """Return which months ended in which time zones, `days_after` days before `now` or earlier.

    This is computed once for each zone and month, not for each account.
    """
    found, months = Ended(), list(months)
    for zone in zones:
        for month in months:
            try:
                is_over = month_end(month, zone, days_after) <= now
            except UnknownZone:
                found.unknown.add(zone)
                is_over = month_end(month, "UTC", days_after) + LAST_ZONE <= now
            if is_over:
                found.zones.append(zone)
                found.months.append(month)
                found.ends.append(month_after(month))
    return found


def months_until(now: datetime, *, since: date) -> Iterator[date]:
    """Yield the months that have ended somewhere at `now`, in order, starting with the month of the day `since`."""
    month = since.replace(day=1)
    while month_after(month) <= (now + FIRST_ZONE).date():
        yield month
        month = month_after(month)
