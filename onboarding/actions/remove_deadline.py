"""The action that lets an account stay in onboarding without a deadline."""

from datetime import date, datetime

from accounts.acting import action
from accounts.models import Account, User
from onboarding.models import DeadlineRule, Onboarding
from onboarding.own_deadline import lasts_until, notify_of_deadline, set_rule
from onboarding.plans import PLANNER, PlanChange, change_one
from onboarding.required_text import required_text


@action
def remove_deadline(account: Account, *, reason: str, by: User, now: datetime | None = None) -> Onboarding:
    """Let the account stay in onboarding until the team activates it, and return its mode.

    The contacts are notified if the account had a deadline. Raises ValidationError if the reason is empty.
    """
    reason = required_text(reason, field="reason", missing="Say why the account has no deadline.")

    def apply(onboarding: Onboarding, today: date) -> None:
        set_rule(onboarding, DeadlineRule.NONE, None, reason)

    return change_one(
        account,
        PlanChange("remove_deadline", PLANNER, "Deadline removed", apply, notify_of_deadline, lasts_until),
        by=by,
        now=now,
    )
