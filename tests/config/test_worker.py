"""Workers as processes: one is killed during a job, two never do a job twice, and one stops cleanly on a signal."""

import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from billing.models import BilledMonth, BillRun, Invoice
from core.jobs.retrying import WORKER_IS_GONE
from core.locks import AdvisoryLock
from core.models import Job, JobError, JobState
from tests.billing.bills import MARCH, Customers, numbers
from tests.config.queue import queued, state, until, worker_seen
from tests.guarding import sql

Start = Callable[..., subprocess.Popen[str]]
BILLS = {"BILL_RUN_BY_ITSELF": "true"}
HOURLY = ("billing.bill_run", "billing.count_unbilled", "core.clean_up", "onboarding.schedule")


def job(name: str) -> Job | None:
    return Job.objects.filter(task_name=name).first()


def status(name: str) -> str | None:
    found = job(name)
    return found and found.status


def rescue_now() -> None:
    """Queue the job that the next tick would queue."""
    with suppress(AlreadyEnqueued):
        app.tasks["core.rescue"].defer(timestamp=0)


def told_to_stop(process: subprocess.Popen[str]) -> str:
    """Stop the worker with SIGTERM, as a supervisor does, and return its output."""
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0, printed
    return printed


def test_a_job_whose_worker_is_killed_in_the_middle_is_rescued_and_done_once(
    customers: Customers, start_worker: Start
) -> None:
    customers(5)
    stuck = start_worker("stuck", **BILLS)
    until(lambda: BilledMonth.objects.count() == 2 and status("billing.bill_run") == JobState.RUNNING)
    other = start_worker("-", **BILLS)
    until(lambda: sql("SELECT count(*) FROM procrastinate_workers") == [(2,)])
    # A second job of the same kind waits for the first, although a worker is free.
    app.tasks["billing.bill_run"].defer(timestamp=0)
    rescue_now()
    until(lambda: not Job.objects.filter(task_name="core.rescue").exclude(status=JobState.DONE).exists())
    bills = Job.objects.filter(task_name="billing.bill_run").order_by("pk")
    assert [found.status for found in bills] == [JobState.RUNNING, JobState.WAITING]
    assert (Invoice.objects.count(), numbers()) == (2, [1, 2])

    stuck.kill()  # kill -9
    assert stuck.wait() == -signal.SIGKILL
    silent = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat < now() - interval '2 s'"
    until(lambda: sql(silent) == [(1,)])
    rescue_now()
    until(lambda: [found.status for found in bills.all()] == [JobState.DONE, JobState.DONE])
    assert [found.attempts for found in bills.all()] == [2, 1]
    assert JobError.objects.get().traceback == WORKER_IS_GONE
    assert (Invoice.objects.count(), BilledMonth.objects.count(), numbers()) == (5, 5, [1, 2, 3, 4, 5])
    runs = BillRun.objects.filter(month=MARCH).order_by("pk")
    assert [(run.invoices, run.finished_at is not None) for run in runs] == [(0, False), (3, True)]
    printed = told_to_stop(other)
    assert "core.rescue" in printed
    assert "1 jobs of workers that are gone" in printed
    assert "March 2026: 3 accounts, 3 invoices, 0 failed" in printed


def test_a_tick_is_done_once_by_two_workers(customers: Customers, start_worker: Start) -> None:
    customers(3)
    workers = [start_worker("-", **BILLS) for _ in range(2)]
    until(lambda: sql("SELECT count(*) FROM procrastinate_workers") == [(2,)])
    until(lambda: all(status(name) == JobState.DONE for name in HOURLY))
    for process in workers:
        told_to_stop(process)
    done = sorted(Job.objects.filter(task_name__in=HOURLY).values_list("task_name", "status", "attempts"))
    assert done == [(name, "succeeded", 1) for name in HOURLY]
    assert (BillRun.objects.count(), numbers()) == (1, [1, 2, 3])


def test_a_job_that_fails_is_kept_with_its_reason_and_tried_again_later(start_worker: Start) -> None:
    worker = start_worker("failing")
    failed = until(lambda: Job.objects.filter(task_name="core.clean_up", attempts=1).first())
    assert (failed.status, failed.lock) == (JobState.WAITING, "core.clean_up")
    [(wait,)] = sql("SELECT scheduled_at - now() FROM procrastinate_jobs WHERE id = %s", failed.pk)
    assert 30 < wait.total_seconds() <= 60
    error = JobError.objects.get()
    assert (error.job_id, error.summary) == (failed.pk, "RuntimeError: The disk is full")
    assert "core.clean_up failed at attempt 1: The disk is full" in told_to_stop(worker)


def test_where_another_holds_the_lock_a_job_does_not_run(start_worker: Start, customers: Customers) -> None:
    customers(1)
    with connection.cursor() as cursor:  # as if a worker that was considered dead were still alive
        cursor.execute("SELECT pg_advisory_lock(%s, hashtext('billing.bill_run'))", [AdvisoryLock.JOB])
    try:
        worker = start_worker("-", **BILLS)
        busy = until(lambda: Job.objects.filter(task_name="billing.bill_run", attempts=1).first())
        assert busy.status == JobState.WAITING
        assert JobError.objects.get(pk=busy.pk).summary.endswith("Busy: Another process is already doing this.")
        assert not BillRun.objects.exists()
    finally:
        sql("SELECT pg_advisory_unlock_all()")
    told_to_stop(worker)


def test_told_to_stop_a_worker_finishes_leaves_its_row_and_says_so(start_worker: Start) -> None:
    worker = start_worker("-")
    until(lambda: status("core.clean_up") == status("billing.bill_run") == JobState.DONE)
    printed = told_to_stop(worker)
    assert printed.startswith("Worker ")
    assert "  core.rescue (* * * * *)" in printed
    assert printed.endswith("Stopped; no job was left half done.\n")
    assert sql("SELECT count(*) FROM procrastinate_workers") == [(0,)]
    assert not BillRun.objects.exists()  # the setting is off


@pytest.mark.owner
def test_a_worker_whose_database_is_gone_stops_and_fails(start_worker: Start) -> None:
    worker = start_worker("-")
    until(lambda: status("core.clean_up") == JobState.DONE)
    sql("ALTER FUNCTION procrastinate_update_heartbeat_v1 RENAME TO heartbeat_is_gone")
    try:
        printed, _ = worker.communicate(timeout=30)
    finally:
        sql("ALTER FUNCTION heartbeat_is_gone RENAME TO procrastinate_update_heartbeat_v1")
    assert worker.returncode == 1, printed
    assert "The worker stopped by itself" in printed


@pytest.mark.parametrize("number", [0, -1])
def test_a_worker_does_at_least_one_job_at_once(db: None, number: int) -> None:
    with pytest.raises(CommandError, match="--at-once must be 1 or more"):
        call_command("worker", at_once=number)


@pytest.mark.owner
def test_a_worker_does_not_start_before_the_database_is_migrated(db: None) -> None:
    sql("DELETE FROM django_migrations WHERE app = 'procrastinate' AND name LIKE '0041%'")
    with pytest.raises(CommandError, match="1 migrations are not applied"):
        call_command("worker")


def test_a_worker_that_was_killed_at_the_same_job_too_often_leaves_it_failed(
    empty_queue: None, start_worker: Start
) -> None:
    [(now,)] = sql("SELECT now() - interval '1 hour'")
    poison = queued("core.clean_up", "doing", attempts=4, worker=worker_seen(now))
    worker = start_worker("-")
    rescue_now()
    until(lambda: state(poison) == (JobState.FAILED, 5))
    told_to_stop(worker)
