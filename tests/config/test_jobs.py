"""The upkeep of the job queue: rescuing, retrying, backoff, and cleaning up."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ValidationError
from procrastinate import jobs
from procrastinate.contrib.django import app

from core.clock import database_now
from core.jobs import cleaning
from core.jobs.cleaning import JOBS_DONE_KEPT, JOBS_FAILED_KEPT, clean_up
from core.jobs.noting import keep_error
from core.jobs.periodic import Backoff
from core.jobs.retrying import STALLED_AFTER, WORKER_IS_GONE, rescue_stalled, retry
from core.locks import AdvisoryLock, Busy, holding
from core.models import Job, JobError
from tests.config.queue import queued, state, worker_seen
from tests.conftest import codes
from tests.guarding import sql
from tests.racing import at_once
from tests.roles import as_owner

SECOND = timedelta(seconds=1)
HOURLY = ["billing.bill_run", "core.clean_up"]
# In this database: the tests' other process may hold it in its own.
HOLDERS = """
    SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = pg_locks.database
    WHERE locktype = 'advisory' AND classid = %s AND d.datname = current_database()
"""


@pytest.fixture
def now(db: None) -> datetime:
    return database_now()


def test_each_job_has_its_lock_and_its_hour() -> None:
    found = {
        task.task.name: (task.cron, task.task.lock, task.task.queueing_lock, task.task.retry_strategy is not None)
        for task in app.periodic_registry.periodic_tasks.values()
    }
    assert found == {
        "billing.bill_run": ("41 * * * *", "billing.bill_run", None, True),
        "billing.count_unbilled": ("53 * * * *", "billing.count_unbilled", None, True),
        "billing.call_feed": ("33 * * * *", "billing.call_feed", None, True),
        "core.clean_up": ("23 * * * *", "core.clean_up", None, True),
        "core.rescue": ("* * * * *", None, "core.rescue", False),
        "core.send_mail": ("* * * * *", None, "core.send_mail", False),
        "onboarding.schedule": ("3 * * * *", "onboarding.schedule", None, True),
    }


def test_a_job_that_fails_is_tried_again_after_longer_and_longer_and_then_no_more() -> None:
    waits = []
    for attempts in range(6):
        job = jobs.Job(
            id=1, queue="default", lock=None, queueing_lock=None, task_name="x", task_kwargs={}, attempts=attempts
        )
        before = datetime.now(UTC)
        decision = Backoff().get_retry_decision(exception=RuntimeError(), job=job)
        waits.append(decision and round((decision.retry_at - before) / timedelta(minutes=1)))
    assert waits == [1, 2, 4, 8, None, None]


@pytest.mark.django_db(transaction=True)
def test_only_one_at_a_time_holds_the_lock_of_a_job_and_then_leaves_it() -> None:
    def hold(number: int) -> str:
        with holding(AdvisoryLock.JOB, "core.clean_up"):
            sql("SELECT pg_sleep(1)")
            return "held"

    outcomes = at_once(5, hold)
    assert [outcome for outcome in outcomes if outcome == "held"] == ["held"]
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 4
    with holding(AdvisoryLock.JOB, "core.clean_up"), holding(AdvisoryLock.JOB, "billing.bill_run"):
        assert sql(HOLDERS, AdvisoryLock.JOB) == [(2,)]
    with pytest.raises(RuntimeError), holding(AdvisoryLock.JOB, "core.clean_up"):
        raise RuntimeError
    assert sql(HOLDERS, AdvisoryLock.JOB) == [(0,)]


def test_a_job_of_a_worker_that_is_gone_is_put_back_and_others_are_left(now: datetime) -> None:
    silent = queued("core.clean_up", "doing", worker=worker_seen(now - STALLED_AFTER - SECOND))
    ownerless = queued("billing.bill_run", "doing", attempts=2)
    alive = queued("other", "doing", worker=worker_seen(now - STALLED_AFTER + SECOND))
    ended = [queued("ended", status) for status in ("failed", "succeeded", "cancelled", "aborted", "todo")]
    assert rescue_stalled(now=now) == 2
    assert (state(silent), state(ownerless), state(alive)) == (("todo", 1), ("todo", 3), ("doing", 0))
    assert [state(job) for job in ended] == [(job.status, 0) for job in ended]
    assert {error.job_id: error.summary for error in JobError.objects.all()} == {
        silent.pk: WORKER_IS_GONE,
        ownerless.pk: WORKER_IS_GONE,
    }
    assert rescue_stalled(now=now) == 0


def test_where_the_next_of_its_kind_waits_a_stalled_job_leaves_the_work_to_it(now: datetime) -> None:
    stalled, waiting = queued("core.rescue", "doing"), queued("core.rescue", "todo")
    assert rescue_stalled(now=now) == 1
    assert (state(stalled), state(waiting)) == (("aborted", 1), ("todo", 0))


def test_a_job_that_costs_worker_after_worker_fails(now: datetime) -> None:
    poison, survivor = queued("a", "doing", attempts=4), queued("b", "doing", attempts=3)
    rescue_stalled(now=now)
    assert (state(poison), state(survivor)) == (("failed", 5), ("todo", 4))


@pytest.mark.django_db(transaction=True)
def test_rescued_at_once_a_job_is_put_back_once(empty_queue: None) -> None:
    stalled = queued("core.clean_up", "doing")
    now = database_now()
    assert [one for one in at_once(8, lambda number: rescue_stalled(now=now)) if isinstance(one, Exception)] == []
    assert state(stalled) == ("todo", 1)


def test_a_failed_job_is_tried_again_and_no_other(now: datetime) -> None:
    failed = queued("core.clean_up", "failed", attempts=5)
    retry(failed, now=now)
    assert state(failed) == ("todo", 6)
    for job in (failed, *(queued("x", status) for status in ("succeeded", "cancelled", "aborted", "doing"))):
        before = state(job)
        with pytest.raises(ValidationError) as refusal:
            retry(job, now=now)
        assert codes(refusal.value) == {("__all__", "job_not_failed")}
        assert state(job) == before


def test_a_failed_job_whose_next_one_waits_is_not_tried_again(now: datetime) -> None:
    failed, waiting = queued("core.rescue", "failed", attempts=1), queued("core.rescue", "todo")
    with pytest.raises(ValidationError) as refusal:
        retry(failed, now=now)
    assert codes(refusal.value) == {("__all__", "job_waits_already")}
    assert (state(failed), state(waiting)) == (("failed", 1), ("todo", 0))


def session(expires: datetime) -> str:
    store = SessionStore()
    with as_owner():
        store.create()
        Session.objects.filter(pk=store.session_key).update(expire_date=expires)
    return str(store.session_key)


def test_clean_up_leaves_what_has_not_expired(now: datetime) -> None:
    cache.clear()  # tests that commit may have left values behind
    old_session, new_session = session(now - SECOND), session(now + SECOND)
    cache.set("old", 1, timeout=60)
    cache.set("new", 1, timeout=60)
    sql("UPDATE django_cache SET expires = %s WHERE cache_key LIKE '%%old'", now - SECOND)
    gone, kept = [], []
    for status, length in (
        ("succeeded", JOBS_DONE_KEPT),
        ("cancelled", JOBS_DONE_KEPT),
        ("aborted", JOBS_DONE_KEPT),
        ("failed", JOBS_FAILED_KEPT),
    ):
        gone.append(queued(status, status, at=now - length - SECOND))
        kept.append(queued(status, status, at=now - length + SECOND))
    kept += [queued("waits", status, at=now - timedelta(days=500)) for status in ("todo", "doing")]
    for job in (gone[0], kept[0]):
        keep_error(job.pk, "Traceback\nValueError: x")
    assert clean_up(now=now) == {"sessions": 1, "cached values": 1, "jobs": 4, "errors of jobs": 1}
    assert list(Session.objects.values_list("pk", flat=True)) == [new_session] != [old_session]
    assert (cache.get("old"), cache.get("new")) == (None, 1)
    assert set(Job.objects.all()) == set(kept)
    assert JobError.objects.get().job_id == kept[0].pk
    assert clean_up(now=now) == {}
    cache.clear()


def test_clean_up_goes_on_until_all_is_gone(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(cleaning, "CHUNK", 2)
    for _ in range(5):
        session(now - SECOND)
    assert clean_up(now=now) == {"sessions": 5}
    assert not Session.objects.exists()


def test_the_last_failure_is_kept_whatever_is_in_it(now: datetime) -> None:
    job = queued("x", "doing")
    keep_error(job.pk, "first")
    keep_error(job.pk, "Traceback\n  x\0y\nValueError: a\0b\n")
    assert JobError.objects.get().summary == "ValueError: a\N{REPLACEMENT CHARACTER}b"


def test_jobs_that_wait_under_the_names_of_before_are_done() -> None:
    assert app.tasks["config.clean_up"] is app.tasks["core.clean_up"]
    assert app.tasks["config.rescue"] is app.tasks["core.rescue"]
