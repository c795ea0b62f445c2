"""Toll-free minutes by day, and the picture of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Sum

from accounts.models import Account
from billing.charges import month_after
from billing.models import CallRecord

WIDTH, HEIGHT, GAP = 640, 160, 3


@dataclass(frozen=True)
class Day:
    """A day's minutes, and its bar in the picture, in the picture's own units."""

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
    end = month_after(month)
    rows = CallRecord.objects.charged().filter(account=account, day__gte=month, day__lt=end)
    minutes = dict(rows.order_by().values("day").annotate(total=Sum("minutes")).values_list("day", "total"))
    count = (end - month).days
    step, most = WIDTH / count, max(minutes.values(), default=0)
    days = []
    for index in range((min(end, today + timedelta(days=1)) - month).days):
        day = month + timedelta(days=index)
        used = minutes.get(day, 0)
        height = round(used / most * HEIGHT, 1) if most else 0
        days.append(Day(day, used, round(index * step, 1), round(step - GAP, 1), height))
    following = end if end <= today else None
    return Usage(month, days, (month - timedelta(days=1)).replace(day=1), following)
