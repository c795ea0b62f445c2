"""Logging what each job did, and storing the traceback of each failure."""

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
    """Make every worker log and store what its jobs do. Procrastinate calls this when Django is ready."""
    # Last, to run inside procrastinate's own middleware, which manages the database connections of a job's thread.
    app.worker_defaults["task_middleware"] = [*(app.worker_defaults.get("task_middleware") or []), note]


def note(call_next: Any, context: JobContext, worker: Any) -> Any:
    """Run a job and log what it did (at DEBUG if nothing); if it fails, store the traceback and re-raise the error."""
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
    """Store the last failure of a job in place of an earlier one; if the database refuses, only log it."""
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
