"""The action that says who of the team looks after an account, or after many."""

from collections.abc import Collection, Iterator
from datetime import date, datetime

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import is_staff_with
from core.chunks import CHUNK
from core.refusals import AlreadyDone
from onboarding.models import Onboarding
from onboarding.plans import ACTIVATOR, PLANNER, PlanChange, PlanChanges, change_many, change_one


@action
def assign_owner(account: Account, *, owner: User | None, by: User, now: datetime | None = None) -> Onboarding:
    """Say who of the team looks after the account, or nobody, and return its mode.

    Refused where that is not active staff who may activate; AlreadyDone where he looks after it already. Like every
    verb here it needs the permission `onboarding.change_onboarding` of active staff (PermissionDenied), and is refused
    for an account that is active or has no Contact Center.
    """
    return change_one(account, _owner(owner), by=by, now=now)


def assign_owner_many(
    accounts: Collection[int], *, owner: User | None, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Do as `assign_owner` for each of these accounts; see `change_many`."""
    return change_many(accounts, _owner(owner), by=by, now=now, chunk=chunk)


def _owner(owner: User | None) -> PlanChange:
    """Return the change of who looks after an account."""

    def apply(onboarding: Onboarding, today: date) -> None:
        if onboarding.owner_id == (owner.pk if owner else None):
            whose = f"{owner} looks" if owner else "Nobody looks"
            raise AlreadyDone(f"{whose} after account {onboarding.account.number} already.", code="same_owner")
        onboarding.owner = owner

    if owner is not None and not is_staff_with(owner, ACTIVATOR):
        raise ValidationError(
            {
                "owner": ValidationError(
                    "Choose a member of the Onboarding team: %(tried)s can't activate accounts.",
                    code="not_on_the_team",
                    params={"tried": owner},
                )
            }
        )
    return PlanChange("assign_owner", PLANNER, "Owner assigned" if owner else "Owner removed", apply)
