"""The only way to write events of the past, for replays, generators and tests, and nothing else.

Guards about *time* (a price for a day that has begun, a final month, a back-dated activation) call the database
function `writing_history()` before they refuse. It returns true only for the owner of the tables, within one
transaction. Guards about finality, sums, limits and permissions never call it. A test checks which modules import this.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

SETTING = "guards.writing_history"


@contextmanager
def writing_history() -> Iterator[None]:
    """Open a transaction in which guards about time don't refuse what the owner of the tables writes.

    The exemption ends with the block, even if the block is only part of a larger transaction. Guards that wait for the
    commit are asked at the end of the block.
    """
    with transaction.atomic():
        _set("pg_current_xact_id()::text")
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        _set("''")


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT set_config('{SETTING}', {value}, true)")
