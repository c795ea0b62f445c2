"""Health checks for load balancers and monitoring, which never log in: is the process up, and can it do its work?

They are answered before any other middleware sees the request, because a load balancer uses HTTP and an IP address,
and asks during maintenance too. The answers name no host, account or person.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.conf import settings
from django.core.checks import CheckMessage
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from config.postgresql.base import WANTED
from core.clock import database_now
from core.guards import check_guards, missing_migrations

GUARDS_KEPT_SECONDS = 5.0
OK = "ok"


class HealthPages:
    """Answers /healthz and /readyz, and passes on every other request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        page = {"/healthz": healthz, "/readyz": readyz}.get(request.path_info)
        if page is None:
            return self.get_response(request)
        answer = page() if request.method in ("GET", "HEAD") else HttpResponseNotAllowed(["GET", "HEAD"])
        answer["Cache-Control"] = "no-store"
        return answer


def healthz() -> HttpResponse:
    """Answer that the process is up, without using anything else, like the database."""
    return JsonResponse({"status": OK})


def readyz() -> HttpResponse:
    """Answer 200 if every check passes and 503 otherwise, with the result of each check by its name."""
    checks = {"database": "not checked", "migrations": "not checked", "guards": "not checked", "jobs": "not checked"}
    for name, check in (("database", _database), ("migrations", _migrations), ("guards", _guards), ("jobs", _jobs)):
        try:
            checks[name] = check()
        except DatabaseError:
            checks[name] = "The database can't be reached." if name == "database" else "The database refused to say."
        if name == "database" and checks[name] != OK:
            break
    ready = set(checks.values()) == {OK}
    return JsonResponse({"status": OK if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        (level,) = cursor.fetchone()
    return OK if level == WANTED else f"Answers at {level}, not at {WANTED}."


def _migrations() -> str:
    missing = missing_migrations("default")
    return f"{len(missing)} not applied." if missing else OK


def _guards() -> str:
    wrong = _seen.guards()
    return f"{len(wrong)} missing or off; `manage.py check --database default` names them." if wrong else OK


@dataclass
class _Seen:
    """A short cache of the check of the guards, which would be too expensive for a request every second."""

    at: float = float("-inf")
    found: list[CheckMessage] | None = None

    def guards(self) -> list[CheckMessage]:
        if self.found is None or monotonic() - self.at > GUARDS_KEPT_SECONDS:
            self.found = [message for message in check_guards(databases=["default"]) if message.is_serious()]
            self.at = monotonic()
        return self.found


_seen = _Seen()


def _jobs() -> str:
    """Return OK if workers are running: the last periodic tick is recent, and no job has been due for long.

    A job that waits because another one of its kind is running doesn't count.
    """
    if not settings.JOBS_LATE_MINUTES:
        return OK
    late = timedelta(minutes=settings.JOBS_LATE_MINUTES)
    now = database_now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT max(defer_timestamp) FROM procrastinate_periodic_defers),
                (SELECT min(coalesce(j.scheduled_at, (
                    SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = j.id
                ))) FROM procrastinate_jobs j WHERE j.status = 'todo' AND NOT EXISTS (
                    SELECT FROM procrastinate_jobs r WHERE r.lock = j.lock AND r.status = 'doing'))
            """
        )
        tick, due = cursor.fetchone()
    if tick is None:
        return "No worker has run yet."
    if datetime.fromtimestamp(tick, UTC) < now - late:
        return f"No worker has run for {_minutes(now - datetime.fromtimestamp(tick, UTC))}."
    if due is not None and due < now - late:
        return f"A job has been due for {_minutes(now - due)}."
    return OK


def _minutes(length: timedelta) -> str:
    return f"{length // timedelta(minutes=1)} minutes"
