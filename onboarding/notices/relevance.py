"""Whether a notice that waits is still worth sending, and which day it announces."""

from collections.abc import Collection
from datetime import date, datetime

from onboarding.models import Notice
from onboarding.notices import kinds


def announced_day(notice: Notice) -> date | None:
    """Return the day that a notice announces: of an activation to come, a deadline, or a requested one; or None."""
    day = notice.data.get(kinds.about(notice.kind).day)
    return date.fromisoformat(day) if day else None


def obsolete_reason(notice: Notice, roles: Collection[str], now: datetime) -> str:
    """Return why a notice must not be sent any more, in words for the team, or nothing if it is still true. No query.

    It comes with `email`, `to` and `account__onboarding`; `roles` are those that the person has on the account now.
    """
    if not notice.to.is_active:
        return "The log-in has been switched off."
    about = kinds.about(notice.kind)
    if not set(roles) & set(about.roles):
        return "The person has no role on the account any more that this concerns."
    if not about.warning:
        return ""
    mode, day = notice.account.onboarding, announced_day(notice)
    if mode.is_active:
        return "The account is active already."
    if day is None or mode.announced_for != day:
        return "The activation was called off, or moved to another day."
    if day < notice.account.day_of(now):
        return "The day has passed."
    return ""
