"""What speaks against activating an account today, in words. It can be activated all the same (R22).

The functions get a row with its account, as `planned` returns it, and the account's local day. They return an empty
string if they have nothing to object.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from core.dates import day_in_words
from onboarding.models import DeadlineRule, Onboarding
from onboarding.worklist import planned


def scheduled(row: Any, today: date) -> str:
    """Return the day for which the account's activation is scheduled."""
    return f"Activation scheduled for {day_in_words(row.scheduled_on)}" if row.scheduled_on else ""


def wanted_later(row: Any, today: date) -> str:
    """Return the day for which the customer asked to go live, if it is still to come."""
    later = row.wanted_on and row.wanted_on > today
    return f"Customer asked to go live on {day_in_words(row.wanted_on)}" if later else ""


def extended(row: Any, today: date) -> str:
    """Return the deadline by which the team gave the account more time than others have, if it has not passed.

    Without a policy, others have no deadline, so a deadline of its own is only called what it is.
    """
    if row.deadline_rule == DeadlineRule.NONE:
        return "Deadline removed"
    if row.deadline_rule != DeadlineRule.FIXED or row.deadline_on < today:
        return ""
    day = day_in_words(row.deadline_on)
    if not (days := settings.ONBOARDING_DEADLINE_DAYS):
        return f"Custom deadline: {day}"
    return f"Deadline extended to {day}" if row.deadline_on > row.started_on + timedelta(days=days) else ""


def postponed(accounts: Collection[int], now: datetime) -> Mapping[int, str]:
    """Return by key which of these accounts in onboarding the team postponed, and how. One query."""
    rows = planned(Onboarding.objects.in_onboarding().filter(account__in=accounts)).select_related("account")
    found = {}
    for row in rows:
        today = row.account.day_of(now)
        if words := scheduled(row, today) or extended(row, today):
            found[row.account_id] = words
    return found
