"""How a record set aside, or a rejected row, is decided about once (policy 17)."""

from datetime import datetime
from typing import TypeVar

from django.db.models import QuerySet

from accounts.models import User
from billing.calls.identity import in_effect, same_content, same_identity
from billing.calls.sql import rows
from billing.calls.voiding import required_reason
from billing.models import CallRecord, RejectedCall, SetAsideCall
from core.clock import database_now
from core.refusals import AlreadyDone

STORED = f"""
    SELECT r.id, {same_content("s", "r")} FROM billing_setasidecall s
    JOIN billing_callrecord r ON r.call_id = s.call_id AND {in_effect("r")} AND {same_identity("s", "r")}
    WHERE s.id = %(key)s
"""  # noqa: S608 - our own text
Row = TypeVar("Row", SetAsideCall, RejectedCall)


def stored_beside(aside: SetAsideCall) -> QuerySet[CallRecord]:
    """Return the records that are stored under the identity of one set aside."""
    return CallRecord.objects.filter(pk__in=[key for key, _ in rows(STORED, {"key": aside.pk})])


def dismiss(row: Row, by: User, reason: str, now: datetime | None) -> Row:
    """Write that the locked row was dismissed, and return it. Raises what `required_reason` and `still_open` raise."""
    reason = required_reason(by, reason)
    row = still_open(row)
    row.state, row.decided_by, row.decided_at, row.note = "dismissed", by, now or database_now(), reason
    row.save()
    return row


def still_open(row: Row) -> Row:
    """Return the row; AlreadyDone if somebody decided about it, or a later file."""
    if row.state != "open":
        raise AlreadyDone(f"This was decided already: {row.get_state_display().lower()}.", code="already_decided")
    return row
