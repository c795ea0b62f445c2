"""The action that activates thousands of accounts."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from accounts.models import User
from core.chunks import CHUNK, cut
from onboarding.activating import Activations, activate_chunk, require_activator, required_reason
from onboarding.models import Origin


def activate_many(
    accounts: Sequence[int],
    *,
    by: User,
    reason: str,
    origin: Origin = Origin.BATCH,
    now: datetime | None = None,
    chunk: int = CHUNK,
) -> Iterator[Activations]:
    """Activate the accounts with these primary keys, yielding the outcome of each chunk once it is committed.

    Each chunk is one transaction that holds the accounts' locks. An account that can't be activated is returned in
    `refused` with the reason, and the others are still activated. Raises PermissionDenied or, if the reason is empty,
    ValidationError before the first chunk, and PermissionDenied before any later chunk if the permission was revoked.
    """
    require_activator(by, origin)
    reason = required_reason(reason)
    keys = sorted(set(accounts))
    for some in cut(keys, chunk):
        yield activate_chunk(
            some,
            by=by,
            origin=origin,
            now=now,
            chosen=lambda still, now: dict.fromkeys(still, reason),
        )
