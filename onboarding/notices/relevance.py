"""Whether a waiting notice is still worth sending, and which day it announces."""

from collections.abc import Collection
from datetime import date, datetime

from onboarding.models import Notice
from onboarding.notices import kinds


def announced_day(notice: Notice) -> date | None:
    """Return the day that a notice announces (of an activation, a deadline or a go-live request), or None."""
    day = notice.data.get(kinds.about(notice.kind).day)
    return date.fromisoformat(day) if day else None


def obsolete_reason(notice: Notice, roles: Collection[str], now: datetime) -> str:
    """Return for the team why a notice must no longer be sent, or an empty string if it is still true. No query.

    `email`, `to` and `account__onboarding` of the notice must be fetched already. `roles` are the recipient's current
    roles on the account.
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
