"""The job queue in the back office: staff with the view permission see it, those with RETRY can retry failed jobs."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin.bases import ReadOnlyAdmin
from core.clock import database_now
from core.jobs.retrying import retry
from core.models import Job, JobState, last_line
from core.refusals import show_as_message

RETRY = "core.retry_job"
EVENTS_SHOWN = 50
EVENTS = {
    "deferred": "queued",
    "started": "a worker began it",
    "deferred_for_retry": "put back into the queue",
    "retried": "put back into the queue by hand",
    "scheduled": "to be tried again later",
    "succeeded": "done",
    "aborted": "left to the next of its kind",
}

# Procrastinate's own page lets anyone who may view jobs cancel them and run them again.
admin.site.unregister(ProcrastinateJob)


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(JobState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(status=self.value()) if self.value() in JobState else queryset


class TaskFilter(admin.SimpleListFilter):
    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = sorted(task.task.name for task in app.periodic_registry.periodic_tasks.values())
        return [(name, Job(task_name=name).title) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(task_name=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, failed ones first, then by age, newest first."""

    list_display = ("name", "status_label", "queued", "changed", "attempts", "why")
    list_filter = (StateFilter, TaskFilter)
    ordering = (Case(When(status=JobState.FAILED, then=0), default=1), "-pk")
    sortable_by = ()
    fields = (("name", "task_name"), ("status_label", "attempts"), ("queued", "due"), "events", "traceback")
    actions_detail = ("try_again",)

    class Media:
        css = {"all": ["admin/jobs.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return Job.objects.with_times()

    @display(description="Job")
    def name(self, job: Job) -> str:
        return job.title

    @display(
        description="State",
        label={
            JobState.WAITING.label: "info",
            JobState.RUNNING.label: "info",
            JobState.DONE.label: "success",
            JobState.FAILED.label: "danger",
            JobState.GIVEN_UP.label: "warning",
        },
    )
    def status_label(self, job: Job) -> str:
        return job.state

    @display(description="Queued")
    def queued(self, job: Any) -> str:
        return _shown(job.queued_at)

    @display(description="Last change")
    def changed(self, job: Any) -> str:
        return _shown(job.changed_at)

    @display(description="Not before", empty_value="–")
    def due(self, job: Job) -> str:
        return _shown(job.scheduled_at)

    @display(description="Last failure", empty_value="–")
    def why(self, job: Any) -> str | None:
        return last_line(job.error)[:200] if job.error else None

    @display(description="Last failure", empty_value="–")
    def traceback(self, job: Any) -> str | None:
        return format_html('<pre class="traceback">{}</pre>', job.error) if job.error else None

    @display(description="What happened")
    def events(self, job: Job) -> str:
        found = ProcrastinateEvent.objects.filter(job=job).order_by("-pk")[:EVENTS_SHOWN]
        return format_html_join(
            "", "<div>{}: {}</div>", ((_shown(event.at), EVENTS.get(event.type, event.type)) for event in found)
        )

    def has_retry_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(RETRY)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the detail actions: the button to try again is only for a failed job."""
        job = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if job and job.status == JobState.FAILED else []

    @action(
        description="Try again…", permissions=["retry"], url_path="retry", icon="replay", variant=ActionVariant.PRIMARY
    )
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show a confirmation page, or requeue the job on POST. Both need the permission."""
        if not request.user.has_perm(RETRY):
            raise PermissionDenied
        job = self.row_or_404(request, object_id)
        back = reverse("admin:core_job_change", args=[job.pk])
        if request.method != "POST":
            context = {"title": f"Try “{job.title}” again", "opts": self.opts, "job": job, "back": back}
            frame = {**self.admin_site.each_context(request), **context, "why": self.why(job)}
            return TemplateResponse(request, "admin/core/job/retry.html", frame)
        try:
            retry(job, now=database_now())
        except ValidationError as refusal:
            show_as_message(request, refusal)
        else:
            LogEntry.objects.log_actions(request.user.pk or 0, [job], CHANGE, "Tried again.", single_object=True)
            messages.success(request, f"“{job.title}” is waiting for a worker again.")
        return HttpResponseRedirect(back)


def _shown(at: datetime | None) -> str:
    """Return an instant to the second, since most jobs take only a few, or an empty string for None."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
