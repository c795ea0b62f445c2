"""All advisory locks of the product. docs/locks.md says in which order locks are taken.

An advisory lock is only a number, so all numbers are defined here, and no other code takes such locks directly.
"""

import enum
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


class AdvisoryLock(enum.IntEnum):
    """The number of each lock."""

    JOB = 0x6A6F6273
    """One job of each name at a time; the hash of the job's name is the second key."""
    BILL_RUN = 0x62696C6C
    DEMO = 5_550_100
    CALL_RECORDS = 4_711_001
    """One writer of call records at a time; otherwise, inserts with the same unique keys could deadlock."""
    NIGHTLY_ALLOWANCE = 0x6F6E626F
    DAILY_CAP = 0x6F6E6264
    UNBILLED_COUNTS = 0x756E6269


class Busy(Exception):
    """Another connection holds the lock."""

    def __str__(self) -> str:
        return "Another process is already doing this."


def wait_for(lock: AdvisoryLock) -> None:
    """Wait for the lock, and hold it until the current transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def try_to_hold(lock: AdvisoryLock, name: str = "") -> bool:
    """Take the lock (if `name` is given, the one with that name), and hold it until the connection ends.

    Returns False without waiting if another connection holds it.
    """
    return _ask("pg_try_advisory_lock", lock, name)


@contextmanager
def holding(lock: AdvisoryLock, name: str = "") -> Iterator[None]:
    """Hold the lock (if `name` is given, the one with that name) within the block.

    It is also released if the connection ends. Raises Busy if another connection, on any machine, holds it.
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
