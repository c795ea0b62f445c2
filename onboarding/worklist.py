"""Conditions that the Onboarding team's dashboard counts by and its worklist filters by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import F, FilteredRelation, Q, QuerySet

from accounts.zones import today_in
from onboarding.models import DeadlineRule, GoLiveRequest, OnboardingQuerySet
from onboarding.models.mode import TIMEZONE

SOON: Final = 7


@dataclass(frozen=True)
class Ages:
    """A range of ages: accounts in onboarding for `least` to `most` whole days, or without an upper limit if None."""

    least: int
    most: int | None

    @property
    def name(self) -> str:
        """The value of the filter in URLs, like `15-30`."""
        return f"{self.least}-{'' if self.most is None else self.most}"

    @property
    def words(self) -> str:
        return f"over {self.least - 1} days" if self.most is None else f"{self.least}–{self.most} days"

    def condition(self, now: datetime) -> Q:
        oldest = Q() if self.most is None else Q(started_at__gt=now - timedelta(days=self.most + 1))
        return oldest & Q(started_at__lte=now - timedelta(days=self.least))


AGES: Final[Sequence[Ages]] = (Ages(0, 14), Ages(15, 30), Ages(31, 45), Ages(46, 60), Ages(61, None))


def planned(rows: OnboardingQuerySet) -> QuerySet[Any]:
    """Return the rows with their `deadline`, and with the `wanted_on` and `wanted_note` of the open go-live request."""
    path = "account__go_live_requests"
    waits = Q(**{f"{path}__withdrawn_at": None, f"{path}__answered_at": None})
    # At most one row each: an account has only one open request (constraint `one_go_live_request_at_a_time`).
    waiting = FilteredRelation(path, condition=waits)
    return rows.with_deadline(settings.ONBOARDING_DEADLINE_DAYS).annotate(
        waiting=waiting, wanted_on=F("waiting__wanted_on"), wanted_note=F("waiting__note")
    )


def is_asked_for() -> Q:
    waiting = GoLiveRequest.objects.filter(withdrawn_at=None, answered_at=None)
    return Q(account__in=waiting.values("account"), activated_at=None)


def is_overdue(now: datetime) -> Q:
    """Return the condition for rows whose `deadline` has passed in the account's time zone.

    Here and in `is_due_soon`, comparisons with instants and UTC days, which can use an index, narrow down the rows;
    local days are compared only for the rows that these leave undecided.
    """
    days = settings.ONBOARDING_DEADLINE_DAYS
    by_policy = Q(deadline_rule=DeadlineRule.POLICY)
    certain = by_policy & Q(started_at__lt=_before(now, days + 2)) if days else Q(pk__in=[])
    possible = Q(deadline_on__lte=_around(now, 1)) | by_policy & Q(started_at__lt=_before(now, days - 1))
    return (certain | possible & Q(deadline__lt=day_there(now))) & Q(activated_at=None)


def is_due_soon(now: datetime) -> Q:
    """Return the condition for rows whose `deadline` is today or within SOON days, in the account's time zone."""
    days = settings.ONBOARDING_DEADLINE_DAYS
    started = Q(started_at__gt=_before(now, days + 2), started_at__lt=_before(now, days - SOON - 2))
    own = Q(deadline_on__gte=_around(now, -1), deadline_on__lte=_around(now, SOON + 1))
    due = Q(deadline__gte=day_there(now), deadline__lte=day_there(now, later=SOON), activated_at=None)
    return (own | Q(deadline_rule=DeadlineRule.POLICY) & started) & due


def _before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


def _around(now: datetime, days: int) -> date:
    """Return the UTC day that is `days` from now. In an account's time zone, it may be a day earlier or later."""
    return now.astimezone(UTC).date() + timedelta(days=days)


def day_there(now: datetime, later: int = 0) -> Any:
    """Return the expression for today in the account's time zone, plus `later` days."""
    return today_in(TIMEZONE, now, later=later)


def month_of(now: datetime) -> datetime:
    """Return the start of the current month in UTC: the team's statistics don't use the accounts' time zones."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def week_of(now: datetime) -> datetime:
    """Return the start of the current week: Monday, midnight UTC."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())
