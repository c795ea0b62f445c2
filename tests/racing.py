"""Running code concurrently, in threads that each have their own database connection."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Barrier, Event
from time import monotonic
from types import ModuleType
from typing import Any, TypeVar

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from tests.guarding import sql
from tests.roles import as_owner

R = TypeVar("R")
LONGEST_WAIT = 30


def at_once(count: int, verb: Callable[[int], R]) -> list[R | Exception]:
    """Call `verb` `count` times at once, each with its number, and return what each call returned or raised."""
    start = Barrier(count)

    def run(number: int) -> R | Exception:
        try:
            sql("SET lock_timeout = 0")  # on a slow machine, 50 threads may wait for one another for long
            start.wait()
            return verb(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def until_done_or_waiting(verb: Future[Any]) -> None:
    """Wait until the future is done, or any connection to this database waits for a lock."""
    deadline = monotonic() + LONGEST_WAIT
    while not verb.done():
        with as_owner(), connection.cursor() as cursor:  # others don't see what a session waits for
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        assert monotonic() < deadline


class Threads:
    """Runs functions, each in a thread with its own connection."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(4)

    def start(self, verb: Callable[[], R]) -> Future[R]:
        def run_and_close() -> R:
            try:
                return verb()
            finally:
                connection.close()

        return self._pool.submit(run_and_close)


def overlap(
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[ModuleType, str],
    first: Callable[[], Any],
    *others: Callable[[], Any],
) -> list[Future[Any]]:
    """Run `first` up to a checkpoint, then the others until each is done or waits for a lock, and then let all finish.

    `place` is a module with a function `checkpoint`, and the name that the function is called with there. Returns the
    futures, all done, in the order of the arguments.
    """
    module, wanted = place
    reached, go_on = Event(), Event()

    def checkpoint(name: str) -> None:
        if name == wanted:
            reached.set()
            assert go_on.wait(LONGEST_WAIT)

    monkeypatch.setattr(module, "checkpoint", checkpoint)
    threads = Threads()
    verbs = [threads.start(first)]
    assert reached.wait(LONGEST_WAIT)
    verbs += map(threads.start, others)
    for verb in verbs[1:]:
        until_done_or_waiting(verb)
    go_on.set()
    wait(verbs)
    return verbs


def one_after_the_other(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, bool]:
    """Run `second` while the transaction of `first` is written and not committed.

    Returns what `second` returned, or how it was refused, and whether it waited for a lock.
    """
    has_written, may_commit = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                first()
                has_written.set()
                assert may_commit.wait(LONGEST_WAIT)
        finally:
            has_written.set()

    def try_second() -> Any:
        try:
            return second()
        except (IntegrityError, ValidationError) as error:
            return error

    threads = Threads()
    holding = threads.start(hold)
    assert has_written.wait(LONGEST_WAIT)
    waiting = threads.start(try_second)
    try:
        until_done_or_waiting(waiting)
        waited = not waiting.done()
    finally:
        may_commit.set()
    holding.result(LONGEST_WAIT)
    return waiting.result(LONGEST_WAIT), waited
