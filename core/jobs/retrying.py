"""Putting jobs back into the queue: failed ones when a person asks, those of dead workers automatically."""

from datetime import datetime, timedelta

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.db import transaction
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status
from procrastinate.manager import JobManager

from core.jobs.noting import keep_error
from core.models import Job, JobState

STALLED_AFTER = timedelta(seconds=45)  # a worker sends a heartbeat every 10 seconds
MOST_RESCUES = 5
WORKER_IS_GONE = "The worker that ran this job was killed, or lost its connection to the database."


def queue() -> JobManager:
    """Return the queue on Django's own connection, so that operations on it are part of the caller's transaction."""
    return JobManager(DjangoConnector())


def retry(job: Job, *, now: datetime) -> None:
    """Put a failed job back into the queue, to run as soon as a worker is free.

    Raises ValidationError if the job has not failed, or if the next job of its kind is waiting already.
    """
    with transaction.atomic():
        found = Job.objects.select_for_update(of=("self",)).filter(pk=job.pk).first()
        if found is None or found.status != JobState.FAILED:
            raise ValidationError("Only a job that failed can be tried again.", code="job_not_failed")
        if not _requeued(found, now):
            raise ValidationError(
                "The next job of this kind is waiting already, and does what this one left.", code="job_waits_already"
            )


def rescue_stalled(*, now: datetime, stalled_after: timedelta = STALLED_AFTER) -> int:
    """Requeue each running job whose worker is gone, and return how many such jobs were found.

    If the next job of its kind is waiting already, the job is aborted instead, and the next one does its work. A job
    that has lost its worker too many times (MOST_RESCUES) fails.
    """
    stalled = list(Job.objects.stalled(now - stalled_after))
    for job in stalled:
        with transaction.atomic():
            found = Job.objects.select_for_update(of=("self",)).filter(pk=job.pk, status=JobState.RUNNING).first()
            if found is None or found.worker_id != job.worker_id:
                continue  # it has finished meanwhile, or somebody else has rescued it
            keep_error(job.pk, WORKER_IS_GONE)
            if job.attempts + 1 >= MOST_RESCUES:
                _finish(job, Status.FAILED)
            elif not _requeued(job, now):
                _finish(job, Status.ABORTED)
    return len(stalled)


def _requeued(job: Job, now: datetime) -> bool:
    """Put the job back into the queue; return False if another of its kind is waiting and only one may."""
    try:
        with transaction.atomic():
            queue().retry_job_by_id(job.pk, now)
    except UniqueViolation:
        return False
    return True


def _finish(job: Job, status: Status) -> None:
    async_to_sync(queue().finish_job_by_id_async)(job.pk, status, delete_job=False)
