"""Toll-free minutes by day, and a chart of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Sum
from django.db.models.functions import TruncMonth

from accounts.models import Account
from billing.models import CallRecord
from billing.pricing.charges import month_after

WIDTH, HEIGHT, GAP = 640, 160, 3


@dataclass(frozen=True)
class Day:
    """A day's minutes, and its bar in the chart, in the chart's own units."""

    day: date
    minutes: int
    x: float
    width: float
    height: float

    @property
    def y(self) -> float:
        return HEIGHT - self.height


@dataclass(frozen=True)
class Usage:
    """The days of a month until today, with the minutes of each."""

    month: date
    days: Sequence[Day]
    last_month: date
    next_month: date | None

    @property
    def total(self) -> int:
        return sum(day.minutes for day in self.days)

    @property
    def most(self) -> int:
        return max((day.minutes for day in self.days), default=0)

    @property
    def size(self) -> tuple[int, int]:
        return WIDTH, HEIGHT


def usage_of(account: Account, month: date, today: date) -> Usage:
    """Return the account's toll-free minutes on each day of the month. One query."""
    rows = CallRecord.objects.charged().filter(account=account, day__gte=month, day__lt=month_after(month))
    by_day = rows.order_by().values("day").annotate(total=Sum("minutes")).values_list("day", "total")
    return pictured(month, {day: total for day, total in by_day if day}, today)


def pictured(month: date, minutes: Mapping[date, int], today: date) -> Usage:
    """Return the days of the month until today, with their bars. `minutes` has the month's minutes by day."""
    end = month_after(month)
    step, most = WIDTH / (end - month).days, max(minutes.values(), default=0)
    days = []
    for index in range((min(end, today + timedelta(days=1)) - month).days):
        day = month + timedelta(days=index)
        used = minutes.get(day, 0)
        height = round(used / most * HEIGHT, 1) if most else 0
        days.append(Day(day, used, round(index * step, 1), round(step - GAP, 1), height))
    following = end if end <= today else None
    return Usage(month, days, (month - timedelta(days=1)).replace(day=1), following)


def minutes_by_month(account: Account, first: date, end: date) -> dict[date, int]:
    """Return the account's toll-free minutes by month, from `first` to `end`, exclusive. One query.

    Months without any minutes are left out.
    """
    rows = CallRecord.objects.charged().filter(account=account, day__gte=first, day__lt=end).order_by()
    by_month = rows.annotate(month=TruncMonth("day")).values("month").annotate(total=Sum("minutes"))
    return {month: total for month, total in by_month.values_list("month", "total") if month}
