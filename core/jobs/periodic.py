"""How work runs by itself: each app's `tasks.py` names its jobs, `manage.py worker` does them.

A job looks at what is to be done, not at when it was asked to: a tick that came while no worker ran costs nothing but
time. Two locks keep it from running twice at once. The queue's own lock lets a job wait for the one before it, and
outlives a worker that was killed, until the job is rescued. The database's advisory lock ends with the connection that
holds it, and so holds even where a worker was taken for dead that was not.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from core.clock import database_now
from core.locks import AdvisoryLock, Busy, held

Work: TypeAlias = Callable[[datetime], str]

HOURLY_ATTEMPTS = 5


class Backoff(BaseRetryStrategy):
    """Tries again after 1, 2, 4 and 8 minutes, so that the next hour's job never waits for this one."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts + 1 >= HOURLY_ATTEMPTS:
            return None
        return RetryDecision(retry_in={"minutes": 2**job.attempts})


def every_hour(*, minute: int, formerly: Sequence[str] = ()) -> Callable[[Work], Any]:
    """Make a job of a function of `now` that says what it did: once an hour, and again soon where it failed.

    `formerly` has names that a release before this one queued it by; jobs that still wait under them are done.
    """

    def decorate(work: Work) -> Any:
        name = _name(work)

        def run(timestamp: int = 0) -> str:
            with held(AdvisoryLock.JOB, name):
                return work(database_now())

        return app.periodic(cron=f"{minute} * * * *")(
            app.task(name=name, aliases=list(formerly), lock=name, retry=Backoff())(run)
        )

    return decorate


def every_minute(*, formerly: Sequence[str] = ()) -> Callable[[Work], Any]:
    """Make a job of a function of `now` that says what it did: once a minute, and where it failed the next one does it.

    One waits at a time, however long nobody took it. It is not tried again: a job that goes back to waiting while the
    next one waits already would be refused by the queue. It takes no lock of the queue either, so that a killed worker
    stops no other; so the job that rescues others is one of these. `formerly` is that of `every_hour`.
    """

    def decorate(work: Work) -> Any:
        name = _name(work)

        def run(timestamp: int = 0) -> str:
            try:
                with held(AdvisoryLock.JOB, name):
                    return work(database_now())
            except Busy:
                return ""

        return app.periodic(cron="* * * * *")(app.task(name=name, aliases=list(formerly), queueing_lock=name)(run))

    return decorate


def _name(work: Work) -> str:
    """Return the job's name in the queue, like `billing.bill_run`."""
    return f"{work.__module__.split('.')[0]}.{work.__name__}"
