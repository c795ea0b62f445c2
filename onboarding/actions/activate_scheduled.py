"""The action that activates the accounts whose scheduled day has begun (R23).

It can run at any time and in several workers at once, because everything is decided under the accounts' locks.
"""

from collections.abc import Iterator
from datetime import datetime

from accounts.models import User
from core.chunks import CHUNK, cut
from core.clock import database_now
from onboarding.activating import Activations, activate_chunk
from onboarding.due import due_by_schedule, still_scheduled
from onboarding.models import Origin


def activate_scheduled(*, now: datetime | None = None, chunk: int = CHUNK) -> Iterator[Activations]:
    """Activate the accounts whose scheduled day has begun in their time zone, on behalf of the system member.

    Yields the outcome of each chunk once it is committed. Skips accounts whose schedule was moved or cancelled, or
    that were activated, in the meantime. Raises PermissionDenied if the system member is deactivated.
    """
    by = User.objects.system_member()
    keys = list(due_by_schedule(now or database_now()).order_by("pk").values_list("account_id", flat=True))
    for some in cut(keys, chunk):
        yield activate_chunk(some, by=by, origin=Origin.SCHEDULE, now=now, chosen=still_scheduled)
