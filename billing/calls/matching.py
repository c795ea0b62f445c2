"""Matches unmatched calls to the accounts that, after a correction, held their numbers at the time (R25)."""

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
# Goes from the assignments to the calls, through the index of unmatched calls. The next chunk no longer finds what this
# one matched. Accounts in an unknown time zone are left out, because nobody can say on which day their calls started.
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
# Looks for the assignment again under the lock, and only among the accounts that are locked.
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
    """Match the unmatched calls that an assignment covers by now, and return how many were matched.

    Voided calls and calls of final months stay unmatched. Months that were already billed become late. Each chunk is
    one transaction, so if this is killed and run again, the remaining calls are matched. `now` is by default the
    database's clock. `progress` is called with the number of calls matched so far.
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
