"""How the deadline of an account is set, and what customers hear of it."""

from collections.abc import Sequence
from datetime import date, datetime

from django.conf import settings
from django.core.exceptions import ValidationError

from core.dates import day_in_words
from onboarding.deadlines import FURTHEST, deadline_of
from onboarding.models import DeadlineRule, NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue


def check_day(on: date, today: date, *, code: str) -> None:
    """Refuse a day that has passed where the account is, or is too far away to plan for."""
    if today <= on <= today + FURTHEST:
        return
    raise ValidationError(
        {
            "on": ValidationError(
                "Choose a day from today, %(today)s, to a year from now.",
                code=code,
                params={"today": day_in_words(today), "tried": on},
            )
        }
    )


def set_rule(onboarding: Onboarding, rule: DeadlineRule, on: date | None, reason: str) -> None:
    """Set the deadline, unsaved; what was announced by the earlier one is no longer true."""
    onboarding.deadline_rule, onboarding.deadline_on, onboarding.deadline_reason = rule.value, on, reason
    if onboarding.scheduled_on is None:
        onboarding.announced_for = None


def lasts_until(onboarding: Onboarding) -> date | None:
    """Return the deadline as customers know it: the team's reason for it is not told."""
    return deadline_of(onboarding, settings.ONBOARDING_DEADLINE_DAYS)


def tell_deadline(rows: Sequence[Onboarding], now: datetime) -> None:
    """Enqueue the notice of each account's deadline as it now stands; accounts with the same one in one statement."""
    same: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        deadline = lasts_until(row)
        same.setdefault((deadline.isoformat() if deadline else "", row.deadline_reason), []).append(row.account_id)
    for (day, reason), accounts in same.items():
        data = {"deadline": day, "reason": reason}
        enqueue(accounts, NoticeKind.EXTENDED, occasion=now.isoformat(), now=now, data=data)
