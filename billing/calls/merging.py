"""Merges the parts of a staged file into the call records, each part in one transaction of a few statements."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from billing.calls import locking
from billing.calls.fates import KNOWN, OVERVIEW, REASONS, SET_ASIDE, SET_ASIDE_ROWS, look_closely, settle
from billing.calls.finality import first_open_day
from billing.calls.locking import MARK_LATE, Moved, lock_accounts, take_turn
from billing.calls.rejects import keep_rejects, stage_rejects
from billing.calls.sql import column, rows, run
from billing.calls.staging import WORK_MEMORY, Part, Staged
from billing.calls.values import MOST_SECONDS
from core.clock import database_now
from core.guards import sentence_of

ATTEMPTS = 10
TOLERANCE = timedelta(minutes=10)  # for a switch whose clock is ahead
NO_LIMITS = {"longest": None, "tolerance": None}
Transaction = Callable[[], AbstractContextManager[Any]]
ALONE: Transaction = partial(transaction.atomic, durable=True)

HOLDERS = "SELECT DISTINCT account_id FROM part_call WHERE account_id IS NOT NULL AND seconds > 0"
NEW = "FROM part_call s WHERE seconds > 0 AND NOT EXISTS (SELECT FROM fated_call f WHERE f.line = s.line)"
# The identity of rows that are known to be new is checked by the unique index alone.
ADDED = f"""
    INSERT INTO billing_callrecord (call_id, leg, number, caller, started_at, seconds, is_toll_free, received_in_id,
        account_id, day, matched_at)
    SELECT call_id, leg, number, caller, started_at, seconds, is_toll_free, %(call_import)s,
        account_id, day, CASE WHEN account_id IS NOT NULL THEN %(now)s::timestamptz END {NEW}
"""
MATCHED = f"""
    WITH matched AS (SELECT account_id, day, is_toll_free {NEW}), {MARK_LATE}
    SELECT count(*), count(*) FILTER (WHERE account_id IS NULL),
        count(*) FILTER (WHERE account_id IS NOT NULL AND NOT is_toll_free)
    FROM matched
"""  # noqa: S608 - our own text
# Foreign keys are checked before the import's own row is updated, because the check of each call reads that row.
CHECK_KEYS = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"
FATES = ("added", "zero", "not_answered", "repeated", "rejected", "set_aside", "voided", "not_a_call")


@dataclass
class Counts:
    """The number of rows by fate, and how many of those added are unmatched or not toll-free."""

    added: int = 0
    unmatched: int = 0
    not_toll_free: int = 0
    zero: int = 0
    not_answered: int = 0
    repeated: int = 0
    rejected: int = 0
    set_aside: int = 0
    voided: int = 0
    not_a_call: int = 0

    def write(self, call_import: int) -> None:
        """Add the counts to those of the import, and the number of rows to its rows read."""
        names = [each.name for each in fields(self)]
        counts = {name: getattr(self, name) for name in names}
        read = sum(counts[name] for name in FATES)
        added = ", ".join(f"{name} = {name} + %({name})s" for name in names)
        run(
            f"UPDATE billing_callimport SET rows_read = rows_read + %(read)s, {added} WHERE id = %(id)s",  # noqa: S608
            {**counts, "read": read, "id": call_import},
        )


def merge_rejects(part: Part, call_import: int, *, within: Transaction = ALONE) -> None:
    """Store and count the rejects in a part of `staged_reject`, in one transaction."""
    with within():
        stage_rejects(part)
        rejected, repeated = keep_rejects(call_import)
        Counts(rejected=rejected, repeated=repeated).write(call_import)


def merge_calls(
    staged: Staged,
    part: Part,
    call_import: int,
    *,
    take_voided: bool = False,
    live: bool = True,
    now: datetime | None = None,
    within: Transaction = ALONE,
) -> None:
    """Write a part of `staged_call`: its calls, what is set aside and rejected, and the counts, in one transaction.

    `now` is by default the database's clock after the lock. With `live`, calls that have not ended or are too long are
    rejected. `within` opens the transaction.
    """
    with within():
        take_turn()
        run(WORK_MEMORY)
        for _ in range(ATTEMPTS):
            try:
                with transaction.atomic():  # a rollback releases the locks, so that they are taken in order again
                    counts = _merge(staged, part, call_import, take_voided=take_voided, live=live, now=now)
                    counts.write(call_import)
                break
            except Moved:
                staged.look_at_assignments()
        else:
            raise Moved(f"Numbers were assigned again {ATTEMPTS} times while their accounts were waited for.")
        locking.checkpoint("before commit")
    locking.checkpoint("after commit")


def _live_limits() -> dict[str, Any]:
    """Return how many seconds a call may be, and how far its end may be ahead of the database's clock."""
    longest = settings.CALL_LONGEST_HOURS * 3_600 or MOST_SECONDS
    return {"longest": min(longest, MOST_SECONDS), "tolerance": TOLERANCE}


def _merge(
    staged: Staged, part: Part, call_import: int, *, take_voided: bool, live: bool, now: datetime | None
) -> Counts:
    staged.take(part)
    lock_accounts(HOLDERS)
    locking.checkpoint("after lock")
    if not staged.is_up_to_date():
        raise Moved
    moment, opened = now or database_now(), first_open_day()
    values: dict[str, Any] = {
        "call_import": call_import,
        "now": moment,
        "open": opened or date.min,
        "take_voided": take_voided,
        **(_live_limits() if live else NO_LIMITS),
    }
    zero, talked, odd, lo, hi, first, last = rows(OVERVIEW, values)[0]
    counts = Counts(zero=zero)
    is_new = not odd and not column(KNOWN, {"lo": lo, "hi": hi, "first": first, "last": last})[0]
    fates = {} if is_new else look_closely(values, staged.content)
    try:
        with transaction.atomic():
            run(ADDED, values)
    except IntegrityError as error:
        refusal = sentence_of(error)
        if refusal is None or refusal.guard != "call_identity_stands_once":
            raise
        raise Moved from error  # somebody wrote calls without `take_turn`
    run(CHECK_KEYS)
    added, counts.unmatched, counts.not_toll_free = rows(MATCHED)[0]
    assert added == talked - sum(fates.values())
    counts.added, counts.repeated, counts.voided = added, fates.get("repeated", 0), fates.get("voided", 0)
    counts.set_aside = sum(fates.get(reason, 0) for reason in SET_ASIDE)
    if counts.set_aside:
        run(SET_ASIDE_ROWS, values)
    if fates.keys() & REASONS.keys():
        judged = rows("SELECT line, fate FROM fated_call WHERE fate = ANY(%s) ORDER BY line", [list(REASONS)])
        stage_rejects(staged.reject_row((line, code, REASONS[code], staged.content(line))) for line, code in judged)
        rejected, repeated = keep_rejects(call_import)
        counts.rejected, counts.repeated = rejected, counts.repeated + repeated
    settle(values)
    return counts
