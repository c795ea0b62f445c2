"""What the processes do with an app's tables beyond the rule, as the app's config states it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Uses:
    """Names of the app's models: those whose rows are deleted, locked but never changed, or written by web only.

    Of the latter, worker still adds rows to those in `worker_adds`. `only_reads` are tables without a model, which
    `migrate` fills, and `views` are what only report reads. `hidden` are columns, as `User.password`, that the role
    report must not read.
    """

    deletes: Sequence[str] = ()
    only_reads: Sequence[str] = ()
    row_locks: Sequence[str] = ()
    of_web: Sequence[str] = ()
    worker_adds: Sequence[str] = ()
    hidden: Sequence[str] = ()
    views: Sequence[str] = ()
