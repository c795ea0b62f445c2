"""What the Billing team's actions share."""

from datetime import datetime
from typing import TypeVar

from accounts.models import Account, User
from accounts.roles import require_staff
from billing.models import BillOnHold, Invoice
from billing.runs.rejected import digest_now
from core.clock import database_now
from core.refusals import AlreadyDone

Row = TypeVar("Row", BillOnHold, Invoice)


def decide(held: BillOnHold, state: BillOnHold.State, *, by: User, note: str, now: datetime | None) -> BillOnHold:
    """Write the decision about a bill on hold, by the Billing team, and return the bill.

    Raises PermissionDenied for anybody else, and AlreadyDone if it was decided before.
    """
    require_billing_team(by, "billing.decide_billonhold", "decide about bills on hold")
    held.refresh_from_db()
    if held.state != BillOnHold.State.HELD:
        raise AlreadyDone(f"This bill was {held.get_state_display().lower()} already.", code="already_decided")
    held.state, held.decided_by, held.decided_at, held.note = state, by, now or database_now(), note.strip()
    held.digest = digest_now(held.account_id, held.month) if state == BillOnHold.State.REJECTED else ""
    held.save()
    return held


def of_account(account: Account, row: Row) -> Row:
    """Return the row, of which the account's lock is held; a caller who mixes accounts up is stopped."""
    assert row.account_id == account.pk, f"{row} is of another account than {account}"
    return row


def require_billing_team(by: User, permission: str, what: str) -> None:
    """Raise PermissionDenied unless the user is active staff with the permission; `what` says what they can't do."""
    require_staff(by, permission, f"Only the Billing team can {what}.")
