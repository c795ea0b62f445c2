"""Every advisory lock that the product takes. docs/locks.md has the one order in which locks are taken.

PostgreSQL gives a number its meaning only among those who use it, so all numbers stand here, and nothing else locks
by number.
"""

import enum
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


class AdvisoryLock(enum.IntEnum):
    """The number of each lock."""

    JOB = 0x6A6F6273
    """One job of a name at a time; the hash of the name is the second key."""
    BILL_RUN = 0x62696C6C
    DEMO = 5_550_100
    CALL_RECORDS = 4_711_001
    """One writer of call records at a time: their unique keys would deadlock otherwise."""
    NIGHTLY_ALLOWANCE = 0x6F6E626F
    UNBILLED_COUNTS = 0x756E6269


class Busy(Exception):
    """Another connection holds the lock at this moment."""

    def __str__(self) -> str:
        return "Another process is already doing this."


def wait_for(lock: AdvisoryLock) -> None:
    """Wait for the lock and hold it until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def try_to_hold(lock: AdvisoryLock, name: str = "") -> bool:
    """Take the lock (with a name, the one of that name) until the connection ends; return False if another has it."""
    return _ask("pg_try_advisory_lock", lock, name)


@contextmanager
def held(lock: AdvisoryLock, name: str = "") -> Iterator[None]:
    """Hold the lock (with a name, the one of that name) within the block.

    It also ends with the connection. Raises Busy if another holds it, on whatever machine.
    """
    if not try_to_hold(lock, name):
        raise Busy
    try:
        yield
    finally:
        _ask("pg_advisory_unlock", lock, name)


def _ask(function: str, lock: AdvisoryLock, name: str) -> bool:
    with connection.cursor() as cursor:
        if name:
            cursor.execute(f"SELECT {function}(%s, hashtext(%s))", [lock, name])
        else:
            cursor.execute(f"SELECT {function}(%s)", [lock])
        answer: bool = cursor.fetchone()[0]
        return answer
