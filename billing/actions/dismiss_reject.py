"""The action that dismisses a rejected row (policy 17)."""

from datetime import datetime

from accounts.acting import recording_refusals
from accounts.models import User
from billing.calls.deciding import dismiss
from billing.calls.locking import take_turn
from billing.models import RejectedCall


def dismiss_reject(reject: RejectedCall, *, by: User, reason: str, now: datetime | None = None) -> RejectedCall:
    """Dismiss a rejected row: it stays so, however often its file comes. Refused like `take_record`."""
    with recording_refusals(None, by, "dismiss_reject"):
        take_turn()
        return dismiss(RejectedCall.objects.select_for_update().get(pk=reject.pk), by, reason, now)
