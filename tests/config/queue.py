"""The job queue in tests: Django doesn't empty its tables, and its workers are separate processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection

from core.models import Job
from tests.guarding import sql

ROOT = Path(__file__).parents[2]
EMPTY = "TRUNCATE procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers"


@pytest.fixture
def empty_queue(transactional_db: None) -> Iterator[None]:
    """A job queue that other processes see, emptied before and after the test."""
    sql(EMPTY)
    yield
    sql(EMPTY)


@pytest.fixture
def start_worker(empty_queue: None) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts workers on the tests' database (see `working`), and kills those that still run after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(mode: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.config.working", connection.settings_dict["NAME"], mode],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def until(condition: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Wait until the condition returns something true, and return that; fail if it doesn't in time."""
    deadline = monotonic() + seconds
    while not (found := condition()):
        assert monotonic() < deadline, list(Job.objects.values_list("task_name", "status", "attempts"))
        sleep(0.1)
    return found


def queued(name: str, status: str, *, attempts: int = 0, worker: int | None = None, at: datetime | None = None) -> Job:
    """Return a new job that reached this state at an instant, by default now."""
    [(pk,)] = sql(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, attempts, worker_id) "
        "VALUES ('default', %s, %s, %s, %s, %s) RETURNING id",
        name,
        None if name == "core.rescue" else name,
        name if name == "core.rescue" else None,
        attempts,
        worker,
    )
    for reached in {"todo": (), "doing": ("doing",), "cancelled": ("cancelled",)}.get(status, ("doing", status)):
        sql("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", reached, pk)
    if at:
        sql("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", at, pk)
    return Job.objects.get(pk=pk)


def worker_seen(at: datetime) -> int:
    """Return the key of a worker that sent its last heartbeat at an instant."""
    [(pk,)] = sql("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s) RETURNING id", at)
    return pk


def state(job: Job) -> tuple[str, int]:
    """Return the job's current state and attempts."""
    found = Job.objects.get(pk=job.pk)
    return found.status, found.attempts
