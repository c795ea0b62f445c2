"""The action that ends an account's onboarding, permanently."""

from datetime import datetime

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from core.clock import database_now
from core.refusals import AlreadyDone
from onboarding import rules
from onboarding.activating import Veto, require_activator, required_reason, write_activations
from onboarding.daily_cap import daily_cap_refusal, lock_day
from onboarding.models import Onboarding, Origin
from onboarding.refusals import onboarding_of


@action
def activate(
    account: Account,
    *,
    by: User,
    reason: str,
    origin: Origin = Origin.ADMIN,
    now: datetime | None = None,
    unless: Veto | None = None,
) -> Onboarding:
    """End the account's onboarding permanently and return its updated record (R8–R10).

    Raises PermissionDenied unless `by` is active staff with the permission `onboarding.activate_account`. Raises
    ValidationError if the reason is empty, if Contact Center is not installed, if the account's time zone is unknown,
    if `unless` returns what speaks against it, or, unless `by` is an administrator, if the team has activated as many
    accounts today as it may. If the account is active already, raises AlreadyDone and writes nothing.
    """
    require_activator(by, origin)
    reason = required_reason(reason)
    onboarding = onboarding_of(account)
    if refusal := rules.activation_refusal(onboarding):
        raise AlreadyDone(refusal)
    now = now or database_now()
    account.decided_day(now)  # raises ValidationError if the time zone is unknown
    if unless and (against := unless([account.pk], now)):
        raise ValidationError(
            "%(why)s. Confirm that you want to activate it anyway.", "objection", {"why": against[account.pk]}
        )
    if origin != Origin.SCHEDULE and (over := daily_cap_refusal(1, lock_day(by, now))):
        raise over
    write_activations({account.pk: reason}, by=by, origin=origin, now=now)
    onboarding.refresh_from_db()
    return onboarding
