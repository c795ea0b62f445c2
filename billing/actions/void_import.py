"""The action that voids all records of an import (R35; billing-policy.md, 16)."""

from collections.abc import Callable
from datetime import datetime

from accounts.acting import recording_refusals
from accounts.models import User
from billing.calls import locking, voiding
from billing.calls.voiding import Voided, check_void, keys_of, preview, required_reason, void_keys
from billing.models import CallImport
from core.chunks import cut


def void_import(
    received: CallImport,
    *,
    by: User,
    reason: str,
    confirm_credited: bool = False,
    now: datetime | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Voided:
    """Void all records of an import that are not voided yet, and return what changed.

    Each chunk of records is one transaction, so a void that was killed can be repeated and voids the rest. `progress`
    is called with the number of records done and their total. Raises the same exceptions as `void_record`, except that
    records that were voided before are not an error.
    """
    done = Voided()
    with recording_refusals(None, by, "void_calls"):
        reason = required_reason(by, reason)
        check_void(preview(received.calls.all()), confirmed=confirm_credited)
    keys = keys_of(received.calls.all())
    for chunk in cut(keys, voiding.CHUNK):
        with recording_refusals(None, by, "void_calls"):
            done.add(void_keys(chunk, by=by, reason=reason, confirmed=confirm_credited, now=now))
        locking.checkpoint("after commit")
        if progress:
            progress(done.records, len(keys))
    return done
