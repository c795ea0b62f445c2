"""The action that activates the accounts whose announced deadline has passed (R11).

It can run at any time and in several workers at once, because everything is decided under the accounts' locks.
"""

from collections.abc import Iterator
from datetime import datetime

from accounts.models import User
from core.chunks import CHUNK
from core.clock import database_now
from onboarding.activating import Activations, activate_chunk
from onboarding.due import allowance, due_by_deadline, still_overdue
from onboarding.models import Origin


def activate_overdue(*, now: datetime | None = None, chunk: int = CHUNK) -> Iterator[Activations]:
    """Activate the accounts whose announced deadline has passed, during their night, oldest deadline first.

    At most ONBOARDING_ACTIVATIONS_A_NIGHT (a setting) accounts are activated in any 24 hours, no matter how often this
    runs. Otherwise it works like `activate_scheduled`.
    """
    by = User.objects.system_member()
    keys = list(due_by_deadline(now or database_now()).values_list("account_id", flat=True))
    while keys and (left := allowance(now or database_now())):
        some, keys = keys[: min(left, chunk)], keys[min(left, chunk) :]
        yield activate_chunk(some, by=by, origin=Origin.SCHEDULE, now=now, chosen=still_overdue)
