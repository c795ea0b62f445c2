"""Which accounts are due to be activated automatically, and how many in a night (R11, R23)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings

from core.dates import day_in_words
from core.locks import AdvisoryLock, wait_for
from onboarding.deadlines import NIGHT_ENDS_AT, deadline_of
from onboarding.models import Onboarding, OnboardingQuerySet


def due_by_schedule(now: datetime) -> OnboardingQuerySet:
    """Return the accounts that `activate_scheduled` would activate at an instant."""
    return Onboarding.objects.due_by_schedule(now, blackout=settings.ONBOARDING_BLACKOUT_DATES)


def due_by_deadline(now: datetime) -> OnboardingQuerySet:
    """Return the accounts that `activate_overdue` would activate at an instant if any number were allowed."""
    return Onboarding.objects.due_by_deadline(
        now,
        days=settings.ONBOARDING_DEADLINE_DAYS,
        blackout=settings.ONBOARDING_BLACKOUT_DATES,
        until=NIGHT_ENDS_AT,
    )


def allowance(now: datetime) -> int:
    """Return how many more accounts may be activated by their deadline at an instant.

    This is the setting ONBOARDING_ACTIVATIONS_A_NIGHT minus those of the 24 hours before.
    """
    done = Onboarding.objects.activated_by_deadline(now - timedelta(hours=24)).count()
    return max(0, settings.ONBOARDING_ACTIVATIONS_A_NIGHT - done)


def lock_allowance() -> None:
    """Prevent other transactions from activating by deadline until this one ends, so that `allowance` counts all."""
    wait_for(AdvisoryLock.NIGHTLY_ALLOWANCE)


def still_scheduled(keys: Sequence[int], now: datetime) -> Mapping[int, str]:
    """Return the reason for activation, by key, of those accounts that are due by their schedule."""
    rows = due_by_schedule(now).filter(account__in=keys).select_related("scheduled_by")
    return {
        row.account_id: f"Scheduled for {day_in_words(row.scheduled_on)} by {row.scheduled_by}: {row.schedule_reason}"
        for row in rows
        if row.scheduled_on is not None
    }


def still_overdue(keys: Sequence[int], now: datetime) -> Mapping[int, str]:
    """Return the reason for activation, by key, of those accounts that are due by their deadline.

    These are at most as many as `allowance` still permits.
    """
    lock_allowance()
    rows = due_by_deadline(now).filter(account__in=keys).select_related("account")[: allowance(now)]
    deadlines = {row.account_id: deadline_of(row, settings.ONBOARDING_DEADLINE_DAYS) for row in rows}
    return {key: f"Deadline of {day_in_words(deadline)} has passed." for key, deadline in deadlines.items() if deadline}
