"""The locks under which calls are matched to accounts, and the months that this makes late.

A bill run locks its accounts, reads their calls, and then writes that their month was billed. Whoever matches calls
locks the accounts FOR SHARE first, and looks after that which months were billed: so a call is either there when its
month's run reads, or its month is marked late. Lock order: the turn, accounts by key, then their calls.
"""

from billing.calls.sql import column, run
from core.locks import AdvisoryLock, wait_for

# The keys stay in the database: with DEBUG on, Django would keep each list of thousands that is sent to it.
HOLDERS = "CREATE TEMPORARY TABLE IF NOT EXISTS holder (account_id bigint); TRUNCATE holder"
LOCK = "SELECT id FROM accounts_account WHERE id IN (SELECT account_id FROM holder) ORDER BY id FOR SHARE"

# Reads `matched` (account_id, day, is_toll_free), which the statement it is put in has written.
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
    """Numbers were assigned anew between the look for their accounts and the lock: look again."""


def checkpoint(name: str) -> None:
    """Do nothing. Tests put something here that waits, or kills the process, at the named point."""


def take_turn() -> None:
    """Wait for the others who write call records; the turn ends with the transaction."""
    wait_for(AdvisoryLock.CALL_RECORDS)


def lock_accounts(source: str) -> int:
    """Lock accounts against bill runs and against changes of their numbers, in the order of their keys.

    `source` is a query for their keys, each once; they stay in the table `holder`. Return how many there are.
    """
    run(HOLDERS)
    run(f"INSERT INTO holder {source}")
    return column(f"SELECT count(*) FROM ({LOCK}) locked")[0]  # noqa: S608 - our own text
