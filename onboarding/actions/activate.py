"""The action that ends an account's onboarding, permanently."""

from datetime import datetime

from accounts.acting import action
from accounts.models import Account, User
from core.clock import database_now
from core.refusals import AlreadyDone
from onboarding import rules
from onboarding.activating import require_activator, required_reason, write_activations
from onboarding.models import Onboarding, Origin
from onboarding.refusals import not_installed_refusal


@action
def activate(
    account: Account, *, by: User, reason: str, origin: Origin = Origin.ADMIN, now: datetime | None = None
) -> Onboarding:
    """End the account's onboarding, for good, and return it as it now stands (R8–R10).

    Needs the permission `onboarding.activate_account` of active staff (PermissionDenied). Refused without a reason, and
    where the account has no Contact Center; an active account answers AlreadyDone, and nothing is written.
    """
    require_activator(by, origin)
    reason = required_reason(reason)
    onboarding = Onboarding.objects.select_related("account").filter(account=account).first()
    if onboarding is None:
        raise not_installed_refusal(account.number)
    if refusal := rules.activation_refusal(onboarding):
        raise AlreadyDone(refusal)
    now = now or database_now()
    account.decided_day(now)  # refuses an account whose time zone is not known
    write_activations({account.pk: reason}, by=by, origin=origin, now=now)
    onboarding.refresh_from_db()
    return onboarding
