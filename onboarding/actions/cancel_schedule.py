"""The action that cancels the scheduled activation of an account."""

from datetime import date, datetime

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from onboarding.models import Onboarding
from onboarding.plans import ACTIVATOR, PlanChange, change_one


@action
def cancel_schedule(account: Account, *, by: User, now: datetime | None = None) -> Onboarding:
    """Cancel the account's scheduled activation, so that its deadline applies again, and return its mode.

    Raises ValidationError if no activation is scheduled.
    """

    def apply(onboarding: Onboarding, today: date) -> None:
        if onboarding.scheduled_on is None:
            raise ValidationError("No activation is scheduled for this account.", code="no_schedule")
        onboarding.scheduled_on = onboarding.scheduled_by = onboarding.announced_for = None
        onboarding.schedule_reason = ""

    return change_one(account, PlanChange("cancel_schedule", ACTIVATOR, "Schedule cancelled", apply), by=by, now=now)
