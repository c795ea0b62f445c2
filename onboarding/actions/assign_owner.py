"""The action that assigns a member of the Onboarding team to one or many accounts as their owner."""

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
    """Assign the account to a member of the Onboarding team, or to nobody if `owner` is None, and return its mode.

    Raises PermissionDenied unless `by` is active staff with the permission `onboarding.change_onboarding`. Raises
    ValidationError if the owner is not active staff who may activate accounts, or if the account is active or has no
    Contact Center, and AlreadyDone if the account has this owner already.
    """
    return change_one(account, _owner(owner), by=by, now=now)


def assign_owner_many(
    accounts: Collection[int], *, owner: User | None, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Assign the owner to each of these accounts, as `assign_owner` does; see `change_many`."""
    return change_many(accounts, _owner(owner), by=by, now=now, chunk=chunk)


def _owner(owner: User | None) -> PlanChange:
    """Return the plan change that assigns or removes an account's owner."""

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
