"""The action that gives an account the deadline of the policy again."""

from datetime import date, datetime

from accounts.acting import action
from accounts.models import Account, User
from core.refusals import AlreadyDone
from onboarding.models import DeadlineRule, Onboarding
from onboarding.own_deadline import lasts_until, set_rule, tell_deadline
from onboarding.plans import PLANNER, PlanChange, change_one


@action
def follow_policy(account: Account, *, by: User, now: datetime | None = None) -> Onboarding:
    """Give the account the deadline of the policy again, if there is one, and return its mode. People are told.

    AlreadyDone where it follows the policy.
    """

    def apply(onboarding: Onboarding, today: date) -> None:
        if onboarding.deadline_rule == DeadlineRule.POLICY:
            raise AlreadyDone("The account follows the policy of all accounts already.", code="follows_policy")
        set_rule(onboarding, DeadlineRule.POLICY, None, "")

    return change_one(
        account,
        PlanChange("follow_policy", PLANNER, "Follows the policy", apply, tell_deadline, lasts_until),
        by=by,
        now=now,
    )
