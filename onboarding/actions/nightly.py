"""What happens to accounts by itself: their schedule, their deadline, and the announcements before (R11, R23).

Each can be run at any time and any number of times, by several workers at once: all is decided under the accounts'
locks, from what stands then. Run every hour, so that it is night somewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings

from accounts.models import Account, User
from core.chunks import CHUNK, commit_or_bisect
from core.clock import database_now
from core.dates import day_in_words
from core.locks import AdvisoryLock, wait_for
from onboarding.actions.activation import Activations, activate_chunk
from onboarding.actions.announcing import tell_announced
from onboarding.actions.changes import Changes, write_plans
from onboarding.deadlines import NIGHT_ENDS_AT, ONE_DAY, deadline_of, still_announced, to_announce
from onboarding.models import Onboarding, OnboardingQuerySet, Origin

# Further ahead nothing is announced: 5 business days, and what a weekend adds, are no more.
NEAR: Final = timedelta(days=10)


def checkpoint(name: str) -> None:
    """Do nothing: tests kill the process here."""


def activate_scheduled(*, now: datetime | None = None, chunk: int = CHUNK) -> Iterator[Activations]:
    """Activate the accounts whose scheduled day has begun where they are, as the system member.

    Yields what became of each chunk once it is committed. A schedule that was moved or cancelled meanwhile, and an
    account that somebody activated, is passed over. Raises PermissionDenied where the system member is switched off.
    """
    by = User.objects.system_member()
    keys = list(due_by_schedule(now or database_now()).order_by("pk").values_list("account_id", flat=True))
    for start in range(0, len(keys), chunk):
        yield activate_chunk(
            keys[start : start + chunk], by=by, origin=Origin.SCHEDULE, now=now, chosen=_still_scheduled
        )


def activate_overdue(*, now: datetime | None = None, chunk: int = CHUNK) -> Iterator[Activations]:
    """Activate the accounts whose announced deadline has passed, in their night, the oldest deadline first.

    In any 24 hours no more than the setting ONBOARDING_ACTIVATIONS_A_NIGHT, whoever runs this how often. Else as
    `activate_scheduled`.
    """
    by = User.objects.system_member()
    keys = list(due_by_deadline(now or database_now()).values_list("account_id", flat=True))
    while keys and (left := allowance(now or database_now())):
        some, keys = keys[: min(left, chunk)], keys[min(left, chunk) :]
        yield activate_chunk(some, by=by, origin=Origin.SCHEDULE, now=now, chosen=_still_overdue)


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
    """Return how many more accounts may be activated by their deadline at an instant."""
    done = Onboarding.objects.activated_by_deadline(now - timedelta(hours=24)).count()
    return max(0, settings.ONBOARDING_ACTIVATIONS_A_NIGHT - done)


def lock_allowance() -> None:
    """Keep others from activating by deadline until this transaction ends, so that all are counted."""
    wait_for(AdvisoryLock.NIGHTLY_ALLOWANCE)


def _still_scheduled(keys: Sequence[int], now: datetime) -> Mapping[int, str]:
    """Return those of these accounts that are due by their schedule, with the reason in words."""
    rows = due_by_schedule(now).filter(account__in=keys).select_related("scheduled_by")
    return {
        row.account_id: f"Scheduled for {day_in_words(row.scheduled_on)} by {row.scheduled_by}: {row.schedule_reason}"
        for row in rows
        if row.scheduled_on is not None
    }


def _still_overdue(keys: Sequence[int], now: datetime) -> Mapping[int, str]:
    """Return those of these accounts that are due by their deadline, as many as are allowed, and why in words."""
    lock_allowance()
    rows = due_by_deadline(now).filter(account__in=keys).select_related("account")[: allowance(now)]
    deadlines = {row.account_id: deadline_of(row, settings.ONBOARDING_DEADLINE_DAYS) for row in rows}
    return {key: f"Deadline of {day_in_words(deadline)} has passed." for key, deadline in deadlines.items() if deadline}


def announce(*, now: datetime | None = None, chunk: int = CHUNK) -> Iterator[Changes]:
    """Announce the activations that are near, tell people, and take back what holds no more.

    A changed account got the day on which it becomes active as `announced_for`, or lost it. Its contacts get the notice
    of that day, and on the day before another. Yields what became of each chunk once it is committed.
    """
    by = User.objects.system_member()
    keys = list(to_be_announced(now or database_now()).values_list("account_id", flat=True))
    for start in range(0, len(keys), chunk):
        outcome = Changes()

        def write(some: Sequence[int]) -> list[int]:
            list(Account.objects.locked().filter(pk__in=some).values_list("pk", flat=True))
            return _announce_chunk(some, by=by, now=now or database_now())

        commit_or_bisect(keys[start : start + chunk], write, outcome.changed.extend, outcome.refused)
        yield outcome


def to_be_announced(now: datetime) -> OnboardingQuerySet:
    """Return the accounts that `announce` looks at, at an instant; `announcement` says what becomes of each."""
    return Onboarding.objects.to_be_announced(now, days=settings.ONBOARDING_DEADLINE_DAYS, near=NEAR)


def announcement(row: Onboarding, today: date) -> date | None:
    """Return the day that is announced, by today, as that on which the account becomes active, or None for none."""
    deadline = deadline_of(row, settings.ONBOARDING_DEADLINE_DAYS)
    announced = row.announced_for
    if announced is not None and still_announced(announced, scheduled_on=row.scheduled_on, deadline=deadline):
        return announced
    blackout = settings.ONBOARDING_BLACKOUT_DATES
    return to_announce(scheduled_on=row.scheduled_on, deadline=deadline, today=today, blackout=blackout)


def _announce_chunk(keys: Sequence[int], *, by: User, now: datetime) -> list[int]:
    """Announce what is to be announced of these accounts, whose locks the caller holds; return those changed."""
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
    tell_announced(told, now)
    checkpoint("announced, before commit")
    return [row.account_id for row in changed]
