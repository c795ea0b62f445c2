"""Sets an account's custom deadline and notifies its contacts."""

from collections.abc import Sequence
from datetime import date, datetime

from django.conf import settings
from django.core.exceptions import ValidationError

from core.dates import day_in_words
from onboarding.deadlines import FURTHEST, deadline_of
from onboarding.models import DeadlineRule, NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue


def check_day(on: date, today: date, *, code: str) -> None:
    """Raise ValidationError if the day is before `today`, the account's local day, or more than a year after it."""
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
    """Set the deadline without saving it, and clear what was announced for the earlier deadline."""
    onboarding.deadline_rule, onboarding.deadline_on, onboarding.deadline_reason = rule.value, on, reason
    if onboarding.scheduled_on is None:
        onboarding.announced_for = None


def lasts_until(onboarding: Onboarding) -> date | None:
    """Return the deadline as customers know it, without the team's reason, or None if there is none."""
    return deadline_of(onboarding, settings.ONBOARDING_DEADLINE_DAYS)


def notify_of_deadline(rows: Sequence[Onboarding], now: datetime) -> None:
    """Enqueue a notice of each account's new deadline, with one statement for all accounts that share it."""
    same: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        deadline = lasts_until(row)
        same.setdefault((deadline.isoformat() if deadline else "", row.deadline_reason), []).append(row.account_id)
    for (day, reason), accounts in same.items():
        data = {"deadline": day, "reason": reason}
        enqueue(accounts, NoticeKind.EXTENDED, occasion=now.isoformat(), now=now, data=data)
