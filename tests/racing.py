"""Many at once, each in a thread with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

from tests.guarding import sql

R = TypeVar("R")


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
