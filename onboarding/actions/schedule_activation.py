"""The action that sets the day on which an account, or many, become active (R23)."""

from collections.abc import Collection, Iterator
from datetime import date, datetime

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from core.chunks import CHUNK
from core.dates import day_in_words
from onboarding.announcing import tell_announced
from onboarding.deadlines import to_announce
from onboarding.models import Onboarding
from onboarding.own_deadline import check_day
from onboarding.plans import ACTIVATOR, PlanChange, PlanChanges, change_many, change_one
from onboarding.required_text import required_text


@action
def schedule_activation(
    account: Account, *, on: date, reason: str, by: User, now: datetime | None = None
) -> Onboarding:
    """Schedule the activation for a day of the account's own, or move it there, and return the mode.

    It takes the place of the deadline. Where the day is less than 5 business days away, people are told at once. Needs
    the permission `onboarding.activate_account` of active staff (PermissionDenied). Refused for a day that has passed
    where the account is, is over a year away or a blackout date, and for an account that is active or has no Contact
    Center.
    """
    return change_one(account, _schedule(on, reason, by), by=by, now=now)


def schedule_activation_many(
    accounts: Collection[int], *, on: date, reason: str, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Do as `schedule_activation` for each of these accounts; see `change_many`."""
    return change_many(accounts, _schedule(on, reason, by), by=by, now=now, chunk=chunk)


def _schedule(on: date, reason: str, by: User) -> PlanChange:
    """Return the change that schedules an activation."""
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

    return PlanChange("schedule_activation", ACTIVATOR, "Activation scheduled", apply, tell_announced)
