"""The action that activates the accounts whose scheduled day has begun (R23).

It can run at any time, in several workers at once: everything is decided under the accounts' locks.
"""

from collections.abc import Iterator
from datetime import datetime

from accounts.models import User
from core.chunks import CHUNK
from core.clock import database_now
from onboarding.activating import Activations, activate_chunk
from onboarding.due import due_by_schedule, still_scheduled
from onboarding.models import Origin


def activate_scheduled(*, now: datetime | None = None, chunk: int = CHUNK) -> Iterator[Activations]:
    """Activate the accounts whose scheduled day has begun where they are, as the system member.

    Yields what became of each chunk once it is committed. A schedule that was moved or cancelled meanwhile, and an
    account that somebody activated, is passed over. Raises PermissionDenied where the system member is switched off.
    """
    by = User.objects.system_member()
    keys = list(due_by_schedule(now or database_now()).order_by("pk").values_list("account_id", flat=True))
    for start in range(0, len(keys), chunk):
        yield activate_chunk(
            keys[start : start + chunk], by=by, origin=Origin.SCHEDULE, now=now, chosen=still_scheduled
        )
