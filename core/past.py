"""The one way to write what happened earlier: for the demo, replays, generators and tests, and nobody else.

Guards about *time* (a price for a day that has begun, a final month, a back-dated activation) ask the database function
`writing_history()` before they refuse. It is true for the owner of the tables alone, in one transaction. Guards about
finality, sums, limits and permissions never ask it. A test holds who may import this module.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

SETTING = "guards.writing_history"


@contextmanager
def writing_history() -> Iterator[None]:
    """Open a transaction in which guards about time let pass what the owner of the tables writes.

    It ends with the block, even where the block is only part of a larger transaction.
    """
    with transaction.atomic():
        _set("pg_current_xact_id()::text")
        yield
        _set("''")


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT set_config('{SETTING}', {value}, true)")
