"""The Onboarding team's dashboard: counts of accounts in onboarding, and the most urgent ones.

Five queries, however many accounts there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Q
from django.db.models.functions import Least, TruncWeek

from onboarding.models import DeadlineRule, GoLiveRequest, Onboarding
from onboarding.worklist import AGES, Ages, is_asked_for, is_due_soon, is_overdue, month_of, planned, week_of

WEEKS: Final = 12
MOST_URGENT: Final = 10
# How many of the oldest accounts are compared by deadline. More than are shown, since a deadline is a local day, and
# time zones can change the order of accounts that started at nearly the same time.
POSSIBLE: Final = 5 * MOST_URGENT


@dataclass(frozen=True)
class Bar:
    """A bar of a chart: its label, the worklist query for what it counts, the count, and its length from 0 to 100."""

    words: str
    query: str
    count: int
    length: float
    day: date | None = None


@dataclass(frozen=True)
class OnboardingFigures:
    """What the dashboard shows about onboarding."""

    in_onboarding: int
    due_soon: int
    overdue: int
    asked: int
    activated: int
    ages: Sequence[Bar]
    weeks: Sequence[Bar]
    urgent: Sequence[Any]


def figures(now: datetime) -> OnboardingFigures:
    """Return the figures as of `now`. Days are in each account's time zone, weeks and months in UTC."""
    rows = planned(Onboarding.objects.in_onboarding())
    counted = rows.aggregate(
        in_onboarding=Count("pk"),
        due_soon=Count("pk", filter=is_due_soon(now)),
        overdue=Count("pk", filter=is_overdue(now)),
        **{f"age_{ages.least}": Count("pk", filter=ages.condition(now)) for ages in AGES},
    )
    weeks, activated = _activations(now)
    return OnboardingFigures(
        in_onboarding=counted["in_onboarding"],
        due_soon=counted["due_soon"],
        overdue=counted["overdue"],
        asked=Onboarding.objects.filter(is_asked_for()).count(),
        activated=activated,
        ages=_ages([(ages, counted[f"age_{ages.least}"]) for ages in AGES]),
        weeks=weeks,
        urgent=urgent(now),
    )


def urgent(now: datetime) -> list[Any]:
    """Return the MOST_URGENT accounts: by deadline or requested go-live date, whichever is earlier, then by age."""
    waiting = Onboarding.objects.in_onboarding()
    # The most urgent are among the first of each kind, and each kind has an index in this order.
    own = waiting.exclude(deadline_on=None).order_by("deadline_on")
    asked = GoLiveRequest.objects.open().order_by("wanted_on")
    possible = (
        Q(pk__in=waiting.filter(deadline_rule=DeadlineRule.POLICY).oldest_first().values("pk")[:POSSIBLE])
        | Q(pk__in=waiting.filter(deadline_rule=DeadlineRule.NONE).oldest_first().values("pk")[:MOST_URGENT])
        | Q(pk__in=own.values("pk")[:MOST_URGENT])
        | Q(account__in=asked.values("account")[:MOST_URGENT])
    )
    rows = planned(waiting.filter(possible)).annotate(first=Least("deadline", "wanted_on"))
    found = list(rows.select_related("account", "owner").order_by("first", "started_at", "pk")[:MOST_URGENT])
    for row in found:
        row.today = row.account.day_of(now)
        row.days = row.age(now).days
    return found


def _activations(now: datetime) -> tuple[list[Bar], int]:
    """Return a bar for each of the last WEEKS weeks, and how many accounts were activated this month. One query."""
    first = week_of(now) - timedelta(weeks=WEEKS - 1)
    rows = Onboarding.objects.filter(activated_at__gte=min(first, month_of(now))).order_by()
    by_week = rows.annotate(week=TruncWeek("activated_at")).values("week")
    counted = by_week.annotate(count=Count("pk"), this_month=Count("pk", filter=Q(activated_at__gte=month_of(now))))
    counts, this_month = {}, 0
    for row in counted:
        counts[row["week"].date()] = row["count"]
        this_month += row["this_month"]
    days = [(first + timedelta(weeks=number)).date() for number in range(WEEKS)]
    most = max((counts.get(day, 0) for day in days), default=0)
    bars = [
        Bar(
            f"Week of {day:%B} {day.day}",
            f"mode=active&activated={day.isoformat()}",
            counts.get(day, 0),
            _length(counts.get(day, 0), most),
            day,
        )
        for day in days
    ]
    return bars, this_month


def _ages(counts: Sequence[tuple[Ages, int]]) -> list[Bar]:
    most = max(count for _, count in counts)
    return [Bar(ages.words, f"age={ages.name}", count, _length(count, most)) for ages, count in counts]


def _length(count: int, most: int) -> float:
    return round(count / most * 100, 1) if most else 0
