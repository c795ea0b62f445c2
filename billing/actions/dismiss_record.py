"""The action that dismisses a record that was set aside (policy 17)."""

from datetime import datetime

from accounts.acting import recording_refusals
from accounts.models import User
from billing.calls.deciding import dismiss
from billing.calls.locking import take_turn
from billing.models import SetAsideCall


def dismiss_record(aside: SetAsideCall, *, by: User, reason: str, now: datetime | None = None) -> SetAsideCall:
    """Dismiss a record that was set aside, and return it. It stays dismissed if its file is imported again.

    Raises PermissionDenied without the permission to void, ValidationError without a reason, and AlreadyDone if the
    record was decided before.
    """
    with recording_refusals(None, by, "dismiss_record"):
        take_turn()  # wait for any import that is running, which may settle this record
        return dismiss(SetAsideCall.objects.select_for_update().get(pk=aside.pk), by, reason, now)
