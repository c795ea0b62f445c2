"""The action that voids one call record (R35; billing-policy.md, 16)."""

from datetime import datetime

from accounts.acting import recording_refusals
from accounts.models import User
from billing.calls.voiding import Voided, required_reason, void_keys
from billing.models import CallRecord
from core.refusals import AlreadyDone


def void_record(
    record: CallRecord, *, by: User, reason: str, confirm_credited: bool = False, now: datetime | None = None
) -> Voided:
    """Void one record, and return what changed.

    Raises PermissionDenied without the permission to void, and AlreadyDone if the record is voided or has 0 seconds.
    Raises ValidationError if the reason is empty or the month is final, and with the code `credited` if the month has
    lines on an invoice with a credit note, unless `confirm_credited` is set.
    """
    if CallRecord.objects.voided().filter(pk=record.pk).exists():
        raise AlreadyDone("This record was voided already.", code="already_voided")
    with recording_refusals(record.account, by, "void_calls"):
        reason = required_reason(by, reason)
        done = void_keys([record.pk], by=by, reason=reason, confirmed=confirm_credited, now=now)
        if not done.records:  # it has 0 seconds, or was voided just now
            raise AlreadyDone("This record counts for nothing already.", code="already_voided")
        return done
