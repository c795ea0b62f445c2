"""A lock that was not granted in time: someone else is changing the same data, and nothing was written."""

from django.db import OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable

ACCOUNT_IS_BUSY = "Someone else is changing this account right now, so it was left as it is. Try again in a moment."


def is_busy(error: BaseException | None) -> bool:
    """Return whether an error says that a lock was not granted in time, or was given up to end a deadlock."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, LockNotAvailable | DeadlockDetected)
