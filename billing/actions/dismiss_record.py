"""The action that dismisses a record set aside (policy 17)."""

from datetime import datetime

from accounts.acting import recording_refusals
from accounts.models import User
from billing.calls.deciding import dismiss
from billing.calls.locking import take_turn
from billing.models import SetAsideCall


def dismiss_record(aside: SetAsideCall, *, by: User, reason: str, now: datetime | None = None) -> SetAsideCall:
    """Dismiss a record set aside: it stays so, however often its file comes. Refused like `take_record`."""
    with recording_refusals(None, by, "dismiss_record"):
        take_turn()  # an import that is about to take it has settled it then
        return dismiss(SetAsideCall.objects.select_for_update().get(pk=aside.pk), by, reason, now)
