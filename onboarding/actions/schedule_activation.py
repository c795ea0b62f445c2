"""The action that schedules the day on which one or many accounts become active (R23)."""

from collections.abc import Collection, Iterator
from datetime import date, datetime

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from core.chunks import CHUNK
from core.dates import day_in_words
from onboarding.announcing import notify_of_activation
from onboarding.deadlines import to_announce
from onboarding.models import Onboarding
from onboarding.own_deadline import check_day
from onboarding.plans import ACTIVATOR, PlanChange, PlanChanges, change_many, change_one
from onboarding.required_text import required_text


@action
def schedule_activation(
    account: Account, *, on: date, reason: str, by: User, now: datetime | None = None
) -> Onboarding:
    """Schedule the account's activation for a day in its time zone, or move it to that day, and return its mode.

    The schedule replaces the deadline. If the day is at most 5 business days away, the contacts are notified now.
    Raises PermissionDenied unless `by` is active staff with the permission `onboarding.activate_account`. Raises
    ValidationError if the reason is empty, if the day has passed, is over a year away or is a blackout date, or if the
    account is active or has no Contact Center.
    """
    return change_one(account, _schedule(on, reason, by), by=by, now=now)


def schedule_activation_many(
    accounts: Collection[int], *, on: date, reason: str, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Schedule the activation of each of these accounts, as `schedule_activation` does; see `change_many`."""
    return change_many(accounts, _schedule(on, reason, by), by=by, now=now, chunk=chunk)


def _schedule(on: date, reason: str, by: User) -> PlanChange:
    """Return the plan change that schedules an activation."""
    reason = required_text(reason, field="reason", missing="Say why the activation is scheduled.")
    blackout = settings.ONBOARDING_BLACKOUT_DATES

    def apply(onboarding: Onboarding, today: date) -> None:
        check_day(on, today, code="scheduled_date")
        if on in blackout:
            raise ValidationError(
                {
                    "on": ValidationError(
                        "No account is activated on %(day)s: it is a blackout date. Choose another day.",
                        code="blackout_date",
                        params={"day": day_in_words(on), "tried": on},
                    )
                }
            )
        onboarding.scheduled_on, onboarding.scheduled_by, onboarding.schedule_reason = on, by, reason
        onboarding.announced_for = to_announce(scheduled_on=on, deadline=None, today=today, blackout=blackout)

    return PlanChange("schedule_activation", ACTIVATOR, "Activation scheduled", apply, notify_of_activation)
