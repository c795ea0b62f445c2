"""Recognizing a lock that was not granted in time: someone else is changing the same data, and nothing was written."""

from django.db import OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable

ACCOUNT_IS_BUSY = "Someone else is changing this account right now, so it was left as it is. Try again in a moment."


def is_busy(error: BaseException | None) -> bool:
    """Return whether the error is a lock timeout, or a deadlock that PostgreSQL ended by aborting this transaction."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, LockNotAvailable | DeadlockDetected)
