"""Matches calls that were kept aside to the accounts that, after a correction, held their numbers (R25)."""

from collections.abc import Callable
from datetime import date, datetime

from django.db import transaction

from billing.calls import locking
from billing.calls.finality import first_open_day
from billing.calls.locking import MARK_LATE, lock_accounts, take_turn
from billing.calls.sql import column, run
from core.clock import database_now
from core.migration_guards import local_day_of

CHUNK = 50_000

TABLE = "CREATE TEMPORARY TABLE IF NOT EXISTS matching_call (id bigint, account_id bigint); TRUNCATE matching_call"
# Driven by the assignments, through the index of unmatched calls. What one chunk matched, the next no longer finds; an
# account whose time zone is not known is passed over, since it has no days.
MATCH_UNMATCHED = f"""
    INSERT INTO matching_call
    SELECT r.id, n.account_id FROM billing_callrecord r
    JOIN accounts_phonenumber p ON p.number = r.number
    JOIN accounts_numberassignment n ON n.number_id = p.id AND n.period @> r.started_at
    JOIN accounts_account a ON a.id = n.account_id
    JOIN accounts_timezone z ON z.name = a.timezone
    WHERE r.account_id IS NULL AND NOT r.is_voided AND r.seconds > 0
        AND {local_day_of("r.started_at", "z")} >= %(open)s LIMIT %(most)s
"""  # noqa: S608 - our own text
# Looks for the assignment anew, under the lock, and only among the accounts that are locked.
MATCHED = f"""
    WITH matched AS (
        UPDATE billing_callrecord r SET account_id = n.account_id,
            day = {local_day_of("r.started_at", "z")}, matched_at = %(now)s
        FROM matching_call m, accounts_phonenumber p, accounts_numberassignment n, accounts_account a,
            accounts_timezone z
        WHERE r.id = m.id AND r.account_id IS NULL AND NOT r.is_voided AND p.number = r.number AND n.number_id = p.id
            AND n.period @> r.started_at AND n.account_id = m.account_id AND a.id = n.account_id
            AND z.name = a.timezone
        RETURNING r.account_id, r.day, r.is_toll_free
    ), {MARK_LATE}
    SELECT count(*) FROM matched
"""  # noqa: S608 - our own text


def match_calls(*, now: datetime | None = None, progress: Callable[[int], object] | None = None) -> int:
    """Match the unmatched calls to assignments that cover them now, and return how many were matched.

    Voided calls, and those of final months, stay unmatched.

    Each chunk is one transaction: killed and run again, the rest is matched. Months that were billed become late.
    `progress` is told the calls matched so far.
    """
    total = 0
    while True:
        with transaction.atomic(durable=True):
            take_turn()
            run(TABLE)
            run(MATCH_UNMATCHED, {"open": first_open_day() or date.min, "most": CHUNK})
            if not lock_accounts("SELECT DISTINCT account_id FROM matching_call"):
                return total
            locking.checkpoint("after lock")
            (matched,) = column(MATCHED, {"now": now or database_now()})
            locking.checkpoint("before commit")
        total += matched
        if progress:
            progress(total)
