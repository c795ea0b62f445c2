"""Functions that the Billing team's actions share."""

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
    """Save the Billing team's decision about a bill on hold, and return the bill.

    Raises PermissionDenied if the user is not on the Billing team, and AlreadyDone if the bill was decided before.
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
    """Return the row, after asserting that it belongs to the account whose lock is held."""
    assert row.account_id == account.pk, f"{row} is of another account than {account}"
    return row


def require_billing_team(by: User, permission: str, what: str) -> None:
    """Raise PermissionDenied unless the user is active staff with the permission; `what` completes its message."""
    require_staff(by, permission, f"Only the Billing team can {what}.")
