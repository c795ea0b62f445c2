"""The action that makes an account follow the deadline policy again."""

from datetime import date, datetime

from accounts.acting import action
from accounts.models import Account, User
from core.refusals import AlreadyDone
from onboarding.models import DeadlineRule, Onboarding
from onboarding.own_deadline import lasts_until, notify_of_deadline, set_rule
from onboarding.plans import PLANNER, PlanChange, change_one


@action
def follow_policy(account: Account, *, by: User, now: datetime | None = None) -> Onboarding:
    """Make the account follow the deadline policy again, and return its mode.

    The contacts are notified if the deadline changes. Raises AlreadyDone if the account follows the policy already.
    """

    def apply(onboarding: Onboarding, today: date) -> None:
        if onboarding.deadline_rule == DeadlineRule.POLICY:
            raise AlreadyDone("The account follows the policy of all accounts already.", code="follows_policy")
        set_rule(onboarding, DeadlineRule.POLICY, None, "")

    return change_one(
        account,
        PlanChange("follow_policy", PLANNER, "Follows the policy", apply, notify_of_deadline, lasts_until),
        by=by,
        now=now,
    )
