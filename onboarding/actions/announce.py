"""The action that announces upcoming activations (R11).

It can run at any time and in several workers at once, because everything is decided under the accounts' locks.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from accounts.models import Account, User
from core.chunks import CHUNK, commit_or_bisect, cut
from core.clock import database_now
from onboarding.announcing import announce_chunk, to_be_announced
from onboarding.plans import PlanChanges


def announce(*, now: datetime | None = None, chunk: int = CHUNK) -> Iterator[PlanChanges]:
    """Announce upcoming activations, notify the contacts, and clear announcements that are no longer true.

    In each changed account, `announced_for` was set to the day on which it becomes active, or cleared. The contacts get
    a notice of that day, and another one on the day before. Yields the outcome of each chunk once it is committed.
    """
    by = User.objects.system_member()
    keys = list(to_be_announced(now or database_now()).values_list("account_id", flat=True))
    for part in cut(keys, chunk):
        outcome = PlanChanges()

        def write(some: Sequence[int]) -> list[int]:
            list(Account.objects.locked().filter(pk__in=some).values_list("pk", flat=True))
            return announce_chunk(some, by=by, now=now or database_now())

        commit_or_bisect(part, write, outcome.changed.extend, outcome.refused)
        yield outcome
