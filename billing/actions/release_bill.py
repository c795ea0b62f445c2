"""The action that issues a bill on hold."""

from datetime import datetime

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from billing.deciding import decide, of_account
from billing.inputs import tariffs
from billing.models import BillOnHold, Invoice
from billing.runs.chunk import bill_chunk
from core.clock import database_now


@action
def release_bill(
    account: Account, held: BillOnHold, *, by: User, note: str = "", now: datetime | None = None
) -> Invoice | None:
    """Release a bill on hold: issue it as computed now and return its invoice, or None if nothing is owed any more.

    Raises ValidationError if the account can't be billed; see also `decide`.
    """
    decide(of_account(account, held), BillOnHold.State.RELEASED, by=by, note=note, now=now)
    outcome = bill_chunk(
        [account.pk], month=held.month, now=now or database_now(), catalogue=tariffs(), hold_outliers=False
    )
    for reason in outcome.failed.values():
        raise ValidationError(reason, code="bill_failed")
    return Invoice.objects.filter(account=account, month=held.month).first()
