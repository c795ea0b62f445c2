"""The job queue as staff see it, and the errors of failed jobs, which the queue itself does not store."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from core.outbox.models import EmailState, OutgoingEmail

__all__ = ["EmailState", "Job", "JobError", "JobQuerySet", "JobState", "OutgoingEmail", "last_line"]


class JobState(models.TextChoices):
    """The state of a job; the values are the queue's own."""

    WAITING = "todo", "Waiting"
    RUNNING = "doing", "Running"
    DONE = "succeeded", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    GIVEN_UP = "aborted", "Left to the next"


class JobQuerySet(models.QuerySet["Job"]):
    def failed(self) -> "JobQuerySet":
        """Jobs that failed on their last attempt. They are few, since `clean_up` deletes old ones."""
        return self.filter(status=JobState.FAILED)

    def stalled(self, since: datetime) -> "JobQuerySet":
        """Running jobs whose worker is gone, or has sent no heartbeat since an instant."""
        return self.filter(
            models.Q(worker=None) | models.Q(worker__last_heartbeat__lt=since), status=JobState.RUNNING
        ).order_by("pk")

    def with_times(self) -> "JobQuerySet":
        """Annotate the jobs with `queued_at`, `changed_at` and `error`, the traceback of the last failure or None."""
        events = ProcrastinateEvent.objects.filter(job=models.OuterRef("pk"))
        errors = JobError.objects.filter(job_id=models.OuterRef("pk"))
        return self.annotate(
            queued_at=models.Subquery(events.order_by("pk").values("at")[:1]),
            changed_at=models.Subquery(events.order_by("-pk").values("at")[:1]),
            error=models.Subquery(errors.values("traceback")[:1]),
        )


class Job(ProcrastinateJob):
    """A job in the queue. Only procrastinate writes the rows."""

    objects: ClassVar[models.Manager["Job"]] = JobQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = [("retry_job", "Can try a failed job again")]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The name of the job for people, like “Bill run”."""
        return self.task_name.rsplit(".", 1)[-1].replace("_", " ").capitalize()

    @property
    def state(self) -> str:
        return str(JobState(self.status).label)


class JobError(models.Model):
    """The error of a job's last failure. It is deleted after its job; neither has to be kept as a record."""

    job_id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    traceback = models.TextField()

    class Meta:
        db_table = "config_joberror"
        default_permissions = ()

    def __str__(self) -> str:
        return self.summary

    @property
    def summary(self) -> str:
        """The last line of the traceback, which says what went wrong."""
        return last_line(self.traceback)


def last_line(traceback: str) -> str:
    """Return the last line of a traceback, which says what went wrong, or an empty string."""
    lines = traceback.strip().splitlines()
    return lines[-1] if lines else ""
