"""How work runs by itself: each app's `tasks.py` names its jobs, `manage.py worker` does them.

A job looks at what is to be done, not at when it was asked to: a tick that came while no worker ran costs nothing but
time. Two locks keep it from running twice at once. The queue's own lock lets a job wait for the one before it, and
outlives a worker that was killed, until the job is rescued. The database's advisory lock ends with the connection that
holds it, and so holds even where a worker was taken for dead that was not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeAlias

from django.db import connection
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from accounts.actions import database_now

Work: TypeAlias = Callable[[datetime], str]

HOURLY_ATTEMPTS = 5
ONE_AT_A_TIME = 0x6A6F6273  # the first of two keys of a job's advisory lock; the second is its name's
BUSY = "Another worker is at it."


class Busy(Exception):
    """The same job runs elsewhere at this moment."""


class Backoff(BaseRetryStrategy):
    """Tries again after 1, 2, 4 and 8 minutes, so that the next hour's job never waits for this one."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts + 1 >= HOURLY_ATTEMPTS:
            return None
        return RetryDecision(retry_in={"minutes": 2**job.attempts})


def every_hour(*, minute: int) -> Callable[[Work], Any]:
    """Make a job of a function of `now` that says what it did: once an hour, and again soon where it failed."""

    def decorate(work: Work) -> Any:
        name = _name(work)

        def run(timestamp: int = 0) -> str:
            with one_at_a_time(name):
                return work(database_now())

        return app.periodic(cron=f"{minute} * * * *")(app.task(name=name, lock=name, retry=Backoff())(run))

    return decorate


def every_minute(work: Work) -> Any:
    """Make a job of a function of `now` that says what it did: once a minute, and where it failed the next one does it.

    One waits at a time, however long nobody took it. It is not tried again: a job that goes back to waiting while the
    next one waits already would be refused by the queue. It takes no lock of the queue either, so that a killed worker
    stops no other; so the job that rescues others is one of these.
    """
    name = _name(work)

    def run(timestamp: int = 0) -> str:
        try:
            with one_at_a_time(name):
                return work(database_now())
        except Busy:
            return ""

    return app.periodic(cron="* * * * *")(app.task(name=name, queueing_lock=name)(run))


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Hold the job's lock, which ends with the connection; raise Busy where another holds it, on whatever machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [ONE_AT_A_TIME, name])
        if not cursor.fetchone()[0]:
            raise Busy(BUSY)
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [ONE_AT_A_TIME, name])


def _name(work: Work) -> str:
    """Return the job's name in the queue, like `billing.bill_run`."""
    return f"{work.__module__.split('.')[0]}.{work.__name__}"
