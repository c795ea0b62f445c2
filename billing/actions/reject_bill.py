"""The action that rejects a bill on hold."""

from datetime import datetime

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from billing.deciding import decide, of_account
from billing.models import BillOnHold


@action
def reject_bill(account: Account, held: BillOnHold, *, by: User, note: str, now: datetime | None = None) -> BillOnHold:
    """Reject a bill on hold, and return it. Raises ValidationError if the note is empty; see also `decide`.

    The account is billed for the month again once the bill would be a different one, or when a person runs the month
    (R42).
    """
    if not note.strip():
        raise ValidationError({"note": ValidationError("Say why the bill is rejected.", code="note_missing")})
    return decide(of_account(account, held), BillOnHold.State.REJECTED, by=by, note=note, now=now)
