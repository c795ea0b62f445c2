"""Periodic jobs: each app's `tasks.py` defines them, and `manage.py worker` runs them.

A job looks for work that is due instead of relying on the time it was scheduled for, so a tick that no worker was there
for only delays the work. Two locks keep a job from running twice at once. The queue's own lock makes a job wait for the
one before it; it outlives a worker that was killed, until the job is rescued. The advisory lock belongs to the
database connection, so it also protects a worker that is still alive although it was taken for dead.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from core.clock import database_now
from core.locks import AdvisoryLock, Busy, holding

Work: TypeAlias = Callable[[datetime], str]

HOURLY_ATTEMPTS = 5


class Backoff(BaseRetryStrategy):
    """Retries after 1, 2, 4 and 8 minutes, and then gives up, so that the next hour's job needn't wait for this one."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts + 1 >= HOURLY_ATTEMPTS:
            return None
        return RetryDecision(retry_in={"minutes": 2**job.attempts})


def every_hour(*, minute: int, formerly: Sequence[str] = ()) -> Callable[[Work], Any]:
    """Decorate a function of `now`, which returns what it did in words, as a job that runs once an hour.

    If it fails, it is retried with `Backoff`. `formerly` lists names that earlier releases queued the job under, so
    that jobs that are still waiting under those names are run.
    """

    def decorate(work: Work) -> Any:
        name = _name(work)

        def run(timestamp: int = 0) -> str:
            with holding(AdvisoryLock.JOB, name):
                return work(database_now())

        return app.periodic(cron=f"{minute} * * * *")(
            app.task(name=name, aliases=list(formerly), lock=name, retry=Backoff())(run)
        )

    return decorate


def every_minute(*, formerly: Sequence[str] = ()) -> Callable[[Work], Any]:
    """Decorate a function of `now`, which returns what it did in words, as a job that runs once a minute.

    Only one such job waits in the queue at a time, even if no worker has run for long. A failed job isn't retried: the
    next one does its work, and the queue would refuse to requeue a job while the next one is waiting. The job takes
    no lock of the queue, so that a killed worker can't block it; that is why the job that rescues other jobs is one of
    these. `formerly` is as in `every_hour`.
    """

    def decorate(work: Work) -> Any:
        name = _name(work)

        def run(timestamp: int = 0) -> str:
            try:
                with holding(AdvisoryLock.JOB, name):
                    return work(database_now())
            except Busy:
                return ""

        return app.periodic(cron="* * * * *")(app.task(name=name, aliases=list(formerly), queueing_lock=name)(run))

    return decorate


def _name(work: Work) -> str:
    """Return the job's name in the queue, like `billing.bill_run`."""
    return f"{work.__module__.split('.')[0]}.{work.__name__}"
