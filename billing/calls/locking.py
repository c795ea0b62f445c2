"""The locks under which calls are matched to accounts, and the months that this makes late.

A bill run locks its accounts, reads their calls, and then writes that their month was billed. Code that matches calls
locks the accounts FOR SHARE first, and only then looks which months were billed. So either the run reads the call, or
the call's month is marked late. Lock order: CALL_RECORDS, accounts by key, then their calls.
"""

from billing.calls.sql import column, run
from core.locks import AdvisoryLock, wait_for

# The keys stay in the database: with DEBUG on, Django would keep every list of thousands of them in memory.
HOLDERS = "CREATE TEMPORARY TABLE IF NOT EXISTS holder (account_id bigint); TRUNCATE holder"
LOCK = "SELECT id FROM accounts_account WHERE id IN (SELECT account_id FROM holder) ORDER BY id FOR SHARE"

# Part of a statement, which must define `matched` (account_id, day, is_toll_free) before it.
MARK_LATE = """
    late AS (
        INSERT INTO billing_latemonth (account_id, month)
        SELECT DISTINCT b.account_id, b.month FROM matched m
        JOIN billing_billedmonth b ON b.account_id = m.account_id AND b.month = date_trunc('month', m.day)::date
        WHERE m.is_toll_free
        ON CONFLICT DO NOTHING
    )
"""


class Moved(Exception):
    """Something changed between a look at the database and the lock, such as who holds a number: look again."""


def checkpoint(name: str) -> None:
    """Do nothing. Tests replace this to wait, or to kill the process, at the named point."""


def take_turn() -> None:
    """Wait until no other process writes call records. The others wait until this transaction ends."""
    wait_for(AdvisoryLock.CALL_RECORDS)


def lock_accounts(source: str) -> int:
    """Lock accounts against bill runs and changes of their numbers, in order of their keys; return how many there are.

    `source` is a query for their keys, each once. The keys are left in the temporary table `holder`.
    """
    run(HOLDERS)
    run(f"INSERT INTO holder {source}")
    locked: int = column(f"SELECT count(*) FROM ({LOCK}) locked")[0]  # noqa: S608 - our own text
    return locked
