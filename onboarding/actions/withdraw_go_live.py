"""The action by which a customer withdraws a go-live request (R17)."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import Capability, require
from core.clock import database_now
from core.history import attributed
from onboarding.models import GoLiveRequest


@action
def withdraw_go_live(account: Account, *, by: User, now: datetime | None = None) -> GoLiveRequest:
    """Withdraw the account's open request and return it. Raises ValidationError if there is none."""
    require(Capability.CHANGE_SERVICES, by, account)
    request = GoLiveRequest.objects.open().filter(account=account).first()
    if request is None:
        raise ValidationError(_("There is no request to withdraw."), code="no_request")
    request.withdrawn_at = now or database_now()
    request.withdrawn_by = by
    attributed(request, to=by, at=request.withdrawn_at).save(update_fields=["withdrawn_at", "withdrawn_by"])
    return request
