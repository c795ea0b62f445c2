"""When an account's onboarding ends by itself, and when people are told (R11). Days in, days out: no query, no clock.

Days are the account's own. An account becomes active by its schedule, or else on the day after its deadline; never on
one of the blackout dates, and by a deadline never sooner than `NOTICE_DAYS` business days after it was announced.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from onboarding.models import DeadlineRule, Onboarding

NOTICE_DAYS: Final = 5  # business days between the announcement and an activation by deadline
FURTHEST: Final = timedelta(days=365)  # how far ahead a deadline or a schedule may be
NIGHT_ENDS_AT: Final = 6  # deadlines activate from midnight to this hour, where the account is
ONE_DAY: Final = timedelta(days=1)


def is_business_day(day: date) -> bool:
    return day.weekday() < 5


def business_days_after(day: date, count: int) -> date:
    """Return the `count`th day from Monday to Friday after this day."""
    weeks, left = divmod(count, 5)
    # From a day of the weekend on one counts as from the Friday before.
    start = day - timedelta(days=max(0, day.weekday() - 4))
    over_weekend = 2 if start.weekday() + left > 4 else 0
    return start + timedelta(days=7 * weeks + left + over_weekend)


def business_days_before(day: date, count: int) -> date:
    """Return the `count`th day from Monday to Friday before this day; one of the weekend counts as the Friday."""
    weeks, left = divmod(count, 5)
    start = day - timedelta(days=max(0, day.weekday() - 4))
    over_weekend = 2 if start.weekday() < left else 0
    return start - timedelta(days=7 * weeks + left + over_weekend)


def deadline_of(onboarding: Onboarding, days: int) -> date | None:
    """Return the last day of the account's onboarding, or None where none is set.

    `days` is the policy of all accounts: how many days after the local day of the start, 0 for no deadline. The same in
    SQL is `Onboarding.objects.with_deadline(days)`.
    """
    if onboarding.deadline_rule == DeadlineRule.FIXED:
        return onboarding.deadline_on
    if onboarding.deadline_rule == DeadlineRule.NONE or not days:
        return None
    return onboarding.started_on + timedelta(days=days)


def first_free_day(day: date, blackout: Collection[date]) -> date:
    """Return this day, or the first after it that is no blackout date."""
    while day in blackout:
        day += ONE_DAY
    return day


def warning_day(day: date) -> date:
    """Return the day on which people are told, at the latest, that the account becomes active on this day."""
    return business_days_before(day, NOTICE_DAYS)


def to_announce(
    *, scheduled_on: date | None, deadline: date | None, today: date, blackout: Collection[date]
) -> date | None:
    """Return the day to announce as that of the activation, or None where it is too early, or nothing is planned.

    A schedule takes the place of the deadline. Who was not told in time for his deadline gets the whole notice from
    today on.
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
    """Return whether what was announced still holds: a policy may have been switched off, or moved, since."""
    if scheduled_on is not None:
        return announced_for == scheduled_on
    return deadline is not None and deadline < announced_for
