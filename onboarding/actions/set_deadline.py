"""The action that gives an account, or many, a custom deadline."""

from collections.abc import Collection, Iterator
from datetime import date, datetime

from accounts.acting import action
from accounts.models import Account, User
from core.chunks import CHUNK
from onboarding.models import DeadlineRule, Onboarding
from onboarding.own_deadline import check_day, lasts_until, set_rule, tell_deadline
from onboarding.plans import PLANNER, PlanChange, PlanChanges, change_many, change_one
from onboarding.required_text import required_text


@action
def set_deadline(account: Account, *, on: date, reason: str, by: User, now: datetime | None = None) -> Onboarding:
    """Give the account a deadline of its own, later or sooner than the policy's, and return its mode.

    It is the last day of onboarding. Refused for a day that has passed where the account is, or is over a year away.
    People are told; what was announced by the earlier deadline is not true any more, and they are warned anew.
    """
    return change_one(account, _deadline(on, reason), by=by, now=now)


def set_deadline_many(
    accounts: Collection[int], *, on: date, reason: str, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Do as `set_deadline` for each of these accounts; see `change_many`."""
    return change_many(accounts, _deadline(on, reason), by=by, now=now, chunk=chunk)


def _deadline(on: date, reason: str) -> PlanChange:
    """Return the change of an account's deadline to a day of its own."""
    reason = required_text(reason, field="reason", missing="Say why the account has a deadline of its own.")

    def apply(onboarding: Onboarding, today: date) -> None:
        check_day(on, today, code="deadline_date")
        set_rule(onboarding, DeadlineRule.FIXED, on, reason)

    return PlanChange("set_deadline", PLANNER, "Deadline set", apply, tell_deadline, lasts_until)
