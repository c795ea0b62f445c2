"""What a worker says of each job, and keeps of each failure."""

import logging
import traceback
from time import monotonic
from typing import Any

from django.db import DatabaseError
from procrastinate import App, JobContext

from core.models import JobError, last_line

LONGEST = 20_000

logger = logging.getLogger("jobs")


def ready(app: App) -> None:
    """Let every worker of the queue's app note what it does. Called by procrastinate when Django is ready."""
    # Inside of what looks after the connections of a job's thread, which procrastinate puts there first.
    app.worker_defaults["task_middleware"] = [*(app.worker_defaults.get("task_middleware") or []), note]


def note(call_next: Any, context: JobContext, worker: Any) -> Any:
    """Run a job, log what it did where it did anything, and keep the traceback where it failed."""
    started = monotonic()
    try:
        words = call_next()
    except Exception as error:
        keep_error(context.job.id, "".join(traceback.format_exception(error)))
        logger.warning("%s failed at attempt %d: %s", context.job.task_name, context.job.attempts + 1, error)
        raise
    level = logging.INFO if words else logging.DEBUG
    logger.log(level, "%s, %.1f s: %s", context.job.task_name, monotonic() - started, words or "nothing to do")
    return words


def keep_error(job: int | None, text: str) -> None:
    """Keep the last failure of a job; where the database takes nothing more, the worker's own log has it."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").strip()[-LONGEST:]
    assert job is not None, "a job that runs is in the queue"
    try:
        JobError.objects.bulk_create(
            [JobError(job_id=job, traceback=text)],
            update_conflicts=True,
            unique_fields=["job_id"],
            update_fields=["at", "traceback"],
        )
    except DatabaseError:
        logger.exception("The failure of job %s could not be kept: %s", job, last_line(text))
