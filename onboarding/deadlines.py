"""When an account's onboarding ends automatically, and when that is announced (R11). Pure functions of days.

Days are in the account's time zone. An account is activated on its scheduled day, or if it has none, on the day after
its deadline. It is never activated on a blackout date, and by a deadline never sooner than `NOTICE_DAYS` business days
after the announcement.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from onboarding.models import DeadlineRule, Onboarding

NOTICE_DAYS: Final = 5  # business days between the announcement and an activation by deadline
FURTHEST: Final = timedelta(days=365)  # how far ahead a deadline or a schedule may be
NIGHT_ENDS_AT: Final = 6  # deadlines activate from midnight until this hour in the account's time zone
ONE_DAY: Final = timedelta(days=1)


def is_business_day(day: date) -> bool:
    return day.weekday() < 5


def business_days_after(day: date, count: int) -> date:
    """Return the `count`th weekday (Monday to Friday) after this day."""
    weeks, left = divmod(count, 5)
    # Counting from a Saturday or Sunday is the same as counting from the Friday before.
    start = day - timedelta(days=max(0, day.weekday() - 4))
    over_weekend = 2 if start.weekday() + left > 4 else 0
    return start + timedelta(days=7 * weeks + left + over_weekend)


def business_days_before(day: date, count: int) -> date:
    """Return the `count`th weekday (Monday to Friday) before this day, counting a Saturday or Sunday as the Friday."""
    weeks, left = divmod(count, 5)
    start = day - timedelta(days=max(0, day.weekday() - 4))
    over_weekend = 2 if start.weekday() < left else 0
    return start - timedelta(days=7 * weeks + left + over_weekend)


def deadline_of(onboarding: Onboarding, days: int) -> date | None:
    """Return the last day of the account's onboarding, or None if it has no deadline.

    `days` is the policy for all accounts: how many days after the local day of its start, or 0 for no deadline.
    `Onboarding.objects.with_deadline(days)` computes the same in SQL.
    """
    if onboarding.deadline_rule == DeadlineRule.FIXED:
        return onboarding.deadline_on
    if onboarding.deadline_rule == DeadlineRule.NONE or not days:
        return None
    return onboarding.started_on + timedelta(days=days)


def first_free_day(day: date, blackout: Collection[date]) -> date:
    """Return this day, or if it is a blackout date, the first day after it that is not."""
    while day in blackout:
        day += ONE_DAY
    return day


def warning_day(day: date) -> date:
    """Return the last day on which an activation on this day can be announced in time."""
    return business_days_before(day, NOTICE_DAYS)


def to_announce(
    *, scheduled_on: date | None, deadline: date | None, today: date, blackout: Collection[date]
) -> date | None:
    """Return the day of activation to announce today, or None if it is too early or nothing is planned.

    A schedule replaces the deadline. If it is too late to announce the day of the deadline in time, the day to announce
    is `NOTICE_DAYS` business days from today instead.
    """
    if scheduled_on is not None:
        return scheduled_on if warning_day(scheduled_on) <= today else None
    if deadline is None:
        return None
    day = first_free_day(deadline + ONE_DAY, blackout)
    if today < warning_day(day):
        return None
    return first_free_day(max(day, business_days_after(today, NOTICE_DAYS)), blackout)


def still_announced(announced_for: date, *, scheduled_on: date | None, deadline: date | None) -> bool:
    """Return whether the announced day is still right. A schedule, a deadline or the policy may have changed since."""
    if scheduled_on is not None:
        return announced_for == scheduled_on
    return deadline is not None and deadline < announced_for
