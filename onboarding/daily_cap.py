"""How many accounts the team may activate in a day, so that a mistake has a limit (R12, R22).

The setting ONBOARDING_ACTIVATIONS_A_DAY bounds what is activated in the admin and by command on a day of the
database's clock, in UTC. Only administrators exceed it. What goes live by schedule or deadline isn't counted.
"""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.zones import known_zones
from core.locks import AdvisoryLock, wait_for
from onboarding.models import Onboarding, OnboardingQuerySet, Origin

BY_HAND = (Origin.ADMIN, Origin.BATCH)


def left_today(by: User, now: datetime) -> int | None:
    """Return how many more accounts the user may activate on the day of `now`, or None if they are an administrator."""
    return None if _is_administrator(by) else left_of_day(now)


def lock_day(by: User, now: datetime) -> int | None:
    """Return `left_today`, after making others who are limited wait until this transaction ends, so that it counts all.

    The caller holds the accounts' locks. Administrators don't wait, since nothing depends on what they would count.
    """
    if _is_administrator(by):
        return None
    wait_for(AdvisoryLock.DAILY_CAP)
    return left_of_day(now)


def _is_administrator(by: User) -> bool:
    return User.objects.filter(pk=by.pk, is_active=True, is_staff=True, is_superuser=True).exists()


def left_of_day(now: datetime) -> int:
    """Return how many more accounts those who are limited may activate on the day of `now`."""
    begun = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    done = Onboarding.objects.filter(
        activated_at__gte=begun, activated_at__lt=begun + timedelta(days=1), activated_from__in=BY_HAND
    ).count()
    return max(0, settings.ONBOARDING_ACTIVATIONS_A_DAY - done)


def daily_cap_refusal(count: int, left: int | None) -> ValidationError | None:
    """Return the refusal of activating `count` accounts if only `left` more may be today, or None if all may be."""
    if left is None or count <= left:
        return None
    return ValidationError(why_no_more(left), code="daily_cap", params={"tried": count} if count > 1 else None)


def check_daily_cap(accounts: Collection[int], *, by: User, now: datetime) -> None:
    """Raise ValidationError if more of these accounts are in onboarding than the user may activate today.

    Nothing is locked: it tells people before anything is activated. What holds is counted again under `lock_day`.
    """
    if refusal := daily_cap_refusal(can_be_activated(accounts).count(), left_today(by, now)):
        raise refusal


def can_be_activated(accounts: Collection[int]) -> OnboardingQuerySet:
    """Return those of these accounts that are in onboarding, in a time zone that is known."""
    zones = [zone.key for zone in known_zones()]
    return Onboarding.objects.in_onboarding().filter(account__in=accounts, account__timezone__in=zones)


def why_no_more(left: int) -> str:
    """Return why more can't be activated today, and what to do."""
    if not settings.ONBOARDING_ACTIVATIONS_A_DAY:
        return "Only administrators can activate accounts by hand."
    limit = f"{settings.ONBOARDING_ACTIVATIONS_A_DAY:,} a day (UTC)"
    if not left:
        return (
            f"No more accounts can be activated today: the limit is {limit}. Continue tomorrow or ask an administrator."
        )
    more = "1 more account" if left == 1 else f"{left:,} more accounts"
    return (
        f"Only {more} can be activated today: the limit is {limit}. "
        "Choose fewer accounts, continue tomorrow, or ask an administrator."
    )
