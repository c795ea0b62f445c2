"""The action that activates thousands of accounts."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from accounts.models import User
from core.chunks import CHUNK, cut
from core.clock import database_now
from onboarding.activating import Activations, Veto, activate_chunk, require_activator, required_reason
from onboarding.daily_cap import check_daily_cap
from onboarding.models import Origin


def activate_many(
    accounts: Sequence[int],
    *,
    by: User,
    reason: str,
    origin: Origin = Origin.BATCH,
    now: datetime | None = None,
    chunk: int = CHUNK,
    unless: Veto | None = None,
) -> Iterator[Activations]:
    """Activate the accounts with these primary keys, yielding the outcome of each chunk once it is committed.

    Each chunk is one transaction that holds the accounts' locks. An account that can't be activated is returned in
    `refused` with the reason, and the others are still activated. `unless` gets the keys of the locked accounts and the
    time, and returns by key why accounts are left out. Before the first chunk, raises PermissionDenied, or
    ValidationError if the reason is empty or if the accounts are more than may be activated today; and before any later
    chunk PermissionDenied if the permission was revoked. If others activate at the same time, what exceeds the day's
    cap is refused.
    """
    require_activator(by, origin)
    reason = required_reason(reason)
    keys = sorted(set(accounts))
    check_daily_cap(keys, by=by, now=now or database_now())
    for some in cut(keys, chunk):
        yield activate_chunk(
            some,
            by=by,
            origin=origin,
            now=now,
            chosen=lambda still, now: dict.fromkeys(still, reason),
            unless=unless,
        )
