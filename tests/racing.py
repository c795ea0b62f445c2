"""Many at once, each in a thread with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from time import monotonic
from typing import Any, TypeVar

from django.db import connection

from tests.guarding import sql

R = TypeVar("R")
LONGEST_WAIT = 30


def at_once(count: int, verb: Callable[[int], R]) -> list[R | Exception]:
    """Run the verb `count` times at once; return what each returned or raised."""
    start = Barrier(count)

    def run(number: int) -> R | Exception:
        try:
            sql("SET lock_timeout = 0")  # a queue of fifty on a slow machine is no failure
            start.wait()
            return verb(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def until_done_or_waiting(verb: Future[Any]) -> None:
    """Return when the verb is done, or when somebody in this database waits for a lock."""
    deadline = monotonic() + LONGEST_WAIT
    while not verb.done():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        assert monotonic() < deadline
