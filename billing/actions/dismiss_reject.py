"""The action that dismisses a rejected row (policy 17)."""

from datetime import datetime

from accounts.acting import recording_refusals
from accounts.models import User
from billing.calls.deciding import dismiss
from billing.calls.locking import take_turn
from billing.models import RejectedCall


def dismiss_reject(reject: RejectedCall, *, by: User, reason: str, now: datetime | None = None) -> RejectedCall:
    """Dismiss a rejected row, and return it. It stays dismissed if its file is imported again.

    Raises PermissionDenied without the permission to void, ValidationError without a reason, and AlreadyDone if the row
    was decided before.
    """
    with recording_refusals(None, by, "dismiss_reject"):
        take_turn()
        return dismiss(RejectedCall.objects.select_for_update().get(pk=reject.pk), by, reason, now)
