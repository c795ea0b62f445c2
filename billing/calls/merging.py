"""Merges a batch of rows into the call records: COPY into temporary tables, then a few statements over all of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.actions import database_now
from accounts.migration_guards import local_day_of
from billing.calls import locking
from billing.calls.batches import Batch, Reject
from billing.calls.locking import MARK_LATE, Moved, lock_accounts, take_turn
from billing.calls.sql import column, copy, rows, run
from billing.calls.values import MOST_SECONDS

REASONS = {
    "unknown_number": "No account has this number.",
    "in_future": "The call starts in the future.",
    "too_long_call": "The call is longer than the longest that is taken (CALL_LONGEST_HOURS).",
    "not_ended": "The call has not ended yet. Import it again when it has.",
    "before_account": "The call is from before the account existed.",
    "other_content": "A call with this id is there already, with another number, caller, start or length.",
}
ATTEMPTS = 10
TOLERANCE = timedelta(minutes=10)  # for a switch whose clock is ahead
NO_LIMITS = {"longest": None, "tolerance": None}

# `called` has each number of the batch once, and since when it had an account: its owner, or who had it before.
TABLES = """
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_call (
        line bigint, call_id text, leg text, number text, caller text, started_at timestamptz, seconds integer);
    CREATE TEMPORARY TABLE IF NOT EXISTS called_number (
        id bigint, number text, is_toll_free boolean, since timestamptz);
    CREATE TEMPORARY TABLE IF NOT EXISTS judged_call (
        line bigint, call_id text, number text, caller text, started_at timestamptz, seconds integer,
        is_toll_free boolean, account_id bigint, day date, code text);
    TRUNCATE staged_call, called_number, judged_call;
"""
CALLED = """
    INSERT INTO called_number
    SELECT p.id, p.number, p.kind = 'toll_free', least(owner.created_at, (
        SELECT min(least(holder.created_at, lower(n.period)))
        FROM accounts_numberassignment n JOIN accounts_account holder ON holder.id = n.account_id
        WHERE n.number_id = p.id))
    FROM accounts_phonenumber p JOIN accounts_account owner ON owner.id = p.account_id
    WHERE p.number IN (SELECT number FROM staged_call)
"""
HOLDERS = "SELECT DISTINCT account_id FROM accounts_numberassignment WHERE number_id IN (SELECT id FROM called_number)"
# An account whose time zone is not known has no days: its calls are kept, and matched once the zone is corrected.
JUDGED = f"""
    INSERT INTO judged_call
    SELECT s.line, s.call_id, s.number, s.caller, s.started_at, s.seconds,
        c.is_toll_free, CASE WHEN z.name IS NOT NULL THEN n.account_id END, {local_day_of("s.started_at", "z")},
        CASE WHEN c.id IS NULL THEN 'unknown_number'
            WHEN s.started_at > %(now)s THEN 'in_future'
            WHEN s.seconds > %(longest)s::integer THEN 'too_long_call'
            WHEN s.started_at + s.seconds * interval '1 second' > %(now)s + %(tolerance)s::interval THEN 'not_ended'
            WHEN s.started_at < c.since THEN 'before_account' END
    FROM staged_call s
    LEFT JOIN called_number c ON c.number = s.number
    LEFT JOIN (accounts_numberassignment n JOIN accounts_account a ON a.id = n.account_id)
        ON n.number_id = c.id AND n.period @> s.started_at
    LEFT JOIN accounts_timezone z ON z.name = a.timezone
"""  # noqa: S608 - our own text
MOVED = """
    SELECT EXISTS (SELECT FROM judged_call
        WHERE account_id IS NOT NULL AND account_id NOT IN (SELECT account_id FROM holder))
"""
# Of one id in a batch the first row counts, as it does when batches are merged one after another.
MERGED = f"""
    WITH matched AS (
        INSERT INTO billing_callrecord (call_id, number, caller, started_at, seconds, is_toll_free, received_in_id,
            account_id, day, matched_at)
        SELECT call_id, number, caller, started_at, seconds, is_toll_free, %(received_in)s,
            account_id, day, CASE WHEN account_id IS NOT NULL THEN %(now)s::timestamptz END
        FROM judged_call WHERE code IS NULL ORDER BY line
        ON CONFLICT (call_id) DO NOTHING
        RETURNING account_id, day, is_toll_free
    ), {MARK_LATE}
    SELECT count(*), count(*) FILTER (WHERE account_id IS NULL) FROM matched
"""  # noqa: S608 - our own text
# The LATERAL asks the index for each row; else the planner may read all calls for each batch.
OTHERS = """
    SELECT j.line FROM judged_call j CROSS JOIN LATERAL (
        SELECT * FROM billing_callrecord WHERE call_id = j.call_id LIMIT 1) r
    WHERE j.code IS NULL
        AND (j.number, j.caller, j.started_at, j.seconds) IS DISTINCT FROM (r.number, r.caller, r.started_at, r.seconds)
    ORDER BY j.line
"""
COUNTED = """
    UPDATE billing_callimport SET added = added + %s, unmatched = unmatched + %s, repeated = repeated + %s,
        skipped = skipped + %s, rejected = rejected + %s WHERE id = %s
"""
STAGED_COLUMNS = "staged_call (line, call_id, leg, number, caller, started_at, seconds)"
REJECT_COLUMNS = "billing_rejectedcall (received_in_id, line, code, reason, content)"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\N{REPLACEMENT CHARACTER}"})


@dataclass
class Counts:
    """What became of the rows of a batch."""

    added: int = 0
    unmatched: int = 0
    repeated: int = 0


def merge(batch: Batch, received_in: int, *, now: datetime | None = None, live: bool = True) -> None:
    """Write a batch: its calls, its rejects and their counts on the import, in one transaction.

    `now` is the database's clock after the lock unless given. In a `live` feed, a call has ended and is not too long.
    """
    counts, rejects = Counts(), list(batch.rejects)
    with transaction.atomic(durable=True):
        if batch.staged:
            take_turn()
            run(TABLES)
            copy(STAGED_COLUMNS, batch.staged)
            moment = _judge(now, live=live)
            counts = _merge_judged(batch, received_in, moment, rejects)
        rejects.sort()
        copy(REJECT_COLUMNS, (_reject_row(received_in, reject) for reject in rejects))
        run(
            COUNTED,
            [
                counts.added,
                counts.unmatched,
                counts.repeated,
                batch.not_answered + batch.not_a_call,
                len(rejects),
                received_in,
            ],
        )
        locking.checkpoint("before commit")
    locking.checkpoint("after commit")


def _judge(now: datetime | None, *, live: bool) -> datetime:
    """Find the account and the day of each staged call, under the locks of all accounts found; return the moment."""
    run(CALLED)
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():  # its rollback gives the locks back, to be taken in the order of keys again
                lock_accounts(HOLDERS)
                locking.checkpoint("after lock")
                moment = now or database_now()
                run(JUDGED, {"now": moment, **(_live_limits() if live else NO_LIMITS)})
                if column(MOVED)[0]:
                    raise Moved
                return moment
        except Moved:
            continue
    raise Moved(f"The numbers of a batch were assigned anew {ATTEMPTS} times while it waited for their accounts.")


def _live_limits() -> dict[str, Any]:
    """Return how long a call may be, and by how much its end may be ahead of the database's clock."""
    longest = settings.CALL_LONGEST_HOURS * 3_600 or MOST_SECONDS
    return {"longest": min(longest, MOST_SECONDS), "tolerance": TOLERANCE}


def _merge_judged(batch: Batch, received_in: int, moment: datetime, rejects: list[Reject]) -> Counts:
    """Insert the calls that were found good, and add those that were not to the rejects."""
    judged = rows("SELECT line, code FROM judged_call WHERE code IS NOT NULL")
    rejects += [(line, code, REASONS[code], batch.content(line)) for line, code in judged]
    good = len(batch.staged) - len(judged)
    added, unmatched = rows(MERGED, {"received_in": received_in, "now": moment})[0]
    if added == good:
        return Counts(added, unmatched)
    others = column(OTHERS)
    rejects += [(line, "other_content", REASONS["other_content"], batch.content(line)) for line in others]
    return Counts(added, unmatched, good - added - len(others))


def _reject_row(received_in: int, reject: Reject) -> str:
    line, code, reason, content = reject
    return f"{received_in}\t{line}\t{code}\t{reason[:200].translate(ESCAPES)}\t{content.translate(ESCAPES)}\n"
