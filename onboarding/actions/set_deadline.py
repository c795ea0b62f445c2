"""The action that gives one or many accounts a custom deadline."""

from collections.abc import Collection, Iterator
from datetime import date, datetime

from accounts.acting import action
from accounts.models import Account, User
from core.chunks import CHUNK
from onboarding.models import DeadlineRule, Onboarding
from onboarding.own_deadline import check_day, lasts_until, notify_of_deadline, set_rule
from onboarding.plans import PLANNER, PlanChange, PlanChanges, change_many, change_one
from onboarding.required_text import required_text


@action
def set_deadline(account: Account, *, on: date, reason: str, by: User, now: datetime | None = None) -> Onboarding:
    """Give the account a custom deadline, later or earlier than the policy's, and return its mode.

    The deadline is the last day of onboarding. The contacts are notified if it changes. An activation that was
    announced for the earlier deadline is no longer true, so the new one is announced in its turn. Raises
    ValidationError if the reason is empty, or if the day has passed in the account's time zone or is over a year away.
    """
    return change_one(account, _deadline(on, reason), by=by, now=now)


def set_deadline_many(
    accounts: Collection[int], *, on: date, reason: str, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Set the deadline of each of these accounts, as `set_deadline` does; see `change_many`."""
    return change_many(accounts, _deadline(on, reason), by=by, now=now, chunk=chunk)


def _deadline(on: date, reason: str) -> PlanChange:
    """Return the plan change that gives an account a custom deadline."""
    reason = required_text(reason, field="reason", missing="Say why the account has a deadline of its own.")

    def apply(onboarding: Onboarding, today: date) -> None:
        check_day(on, today, code="deadline_date")
        set_rule(onboarding, DeadlineRule.FIXED, on, reason)

    return PlanChange("set_deadline", PLANNER, "Deadline set", apply, notify_of_deadline, lasts_until)
