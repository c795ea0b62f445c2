"""Announces automatic activations to an account's contacts in advance (R11)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings

from accounts.models import User
from onboarding.deadlines import ONE_DAY, deadline_of, still_announced, to_announce
from onboarding.models import NoticeKind, Onboarding, OnboardingQuerySet
from onboarding.notices.enqueue import enqueue
from onboarding.plans import write_plans


def notify_of_activation(rows: Sequence[Onboarding], now: datetime) -> None:
    """Enqueue a notice of each account's announced day, if it has one: TOMORROW if it is tomorrow, otherwise SOON."""
    told: defaultdict[tuple[date, NoticeKind, str], list[int]] = defaultdict(list)
    for row in rows:
        if row.announced_for is not None:
            tomorrow = row.announced_for == row.account.day_of(now) + ONE_DAY
            kind = NoticeKind.TOMORROW if tomorrow else NoticeKind.SOON
            told[row.announced_for, kind, "schedule" if row.scheduled_on else "deadline"].append(row.account_id)
    for (day, kind, cause), accounts in told.items():
        data = {"activates_on": day.isoformat(), "cause": cause}
        enqueue(accounts, kind, occasion=day.isoformat(), now=now, data=data)


# Nothing is announced further ahead than this: 5 business days never span more calendar days, weekends included.
NEAR: Final = timedelta(days=10)


def checkpoint(name: str) -> None:
    """Do nothing: tests kill the process here."""


def to_be_announced(now: datetime) -> OnboardingQuerySet:
    """Return the accounts that `announce` examines at an instant; `announcement` decides about each."""
    return Onboarding.objects.to_be_announced(now, days=settings.ONBOARDING_DEADLINE_DAYS, near=NEAR)


def announcement(row: Onboarding, today: date) -> date | None:
    """Return the day to announce today as the day on which the account becomes active, or None for no announcement."""
    deadline = deadline_of(row, settings.ONBOARDING_DEADLINE_DAYS)
    announced = row.announced_for
    if announced is not None and still_announced(announced, scheduled_on=row.scheduled_on, deadline=deadline):
        return announced
    blackout = settings.ONBOARDING_BLACKOUT_DATES
    return to_announce(scheduled_on=row.scheduled_on, deadline=deadline, today=today, blackout=blackout)


def announce_chunk(keys: Sequence[int], *, by: User, now: datetime) -> list[int]:
    """Announce the activations of these accounts and return the keys of those whose announced day changed.

    The caller holds the accounts' locks.
    """
    changed, told = [], []
    for row in to_be_announced(now).filter(account__in=keys).select_related("account"):
        today = row.account.day_of(now)
        day = announcement(row, today)
        is_new = day != row.announced_for
        if is_new:
            row.announced_for = day
            changed.append(row)
        if is_new or day == today + ONE_DAY:
            told.append(row)
    write_plans(changed, by=by, called="Activation announced", now=now)
    checkpoint("after announcement")
    notify_of_activation(told, now)
    checkpoint("announced, before commit")
    return [row.account_id for row in changed]
