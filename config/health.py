"""Health checks for load balancers and monitoring, which never log in: is the process up, and can it do its work?

They are answered before any other middleware sees the request, because a load balancer uses HTTP and an IP address,
and asks during maintenance too. The answers name no host, account or person.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from core.clock import database_now
from core.guards import Finding, State, findings, missing_migrations, unknown_migrations
from core.session import what_is_wrong

GUARDS_KEPT_SECONDS = 5.0
GUARDS_NAMED = 10
OK = "ok"


@dataclass(frozen=True)
class Answer:
    """The result of a check as text, and whether this process is ready despite it."""

    words: str = OK
    is_ready: bool = True


def red(words: str) -> Answer:
    """Return the answer of a process that is not ready."""
    return Answer(words, is_ready=False)


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
    """Answer 200 if this process can do its work and 503 otherwise, with the result of each check by its name.

    `docs/policy/invariants.md` says at its end when it is not ready, and when it only warns.
    """
    checks = dict.fromkeys(("database", "migrations", "guards", "jobs"), red("not checked"))
    for name, check in (("database", _database), ("migrations", _migrations), ("guards", _guards), ("jobs", _jobs)):
        try:
            checks[name] = check()
        except DatabaseError:
            checks[name] = red(
                "The database can't be reached." if name == "database" else "The database refused to say."
            )
        if name == "database" and not checks[name].is_ready:
            break
    ready = all(answer.is_ready for answer in checks.values())
    words = {name: answer.words for name, answer in checks.items()}
    return JsonResponse({"status": OK if ready else "not ready", "checks": words}, status=200 if ready else 503)


def _database() -> Answer:
    wrong = what_is_wrong("default")
    return red(wrong) if wrong else Answer()


def _migrations() -> Answer:
    missing = missing_migrations("default")
    return red(f"{len(missing)} not applied.") if missing else Answer()


def _guards() -> Answer:
    """Report the guards that don't match this code.

    If the database has migrations that this code doesn't know, a later release may have changed the guards. In that
    case the process stays ready, unless a guard is switched off.
    """
    found = _seen.guards()
    if not found:
        return Answer()
    if any(finding.state is State.OFF for finding in found) or not unknown_migrations("default"):
        return red(_named(found))
    return Answer(f"{_named(found)} Only a warning: the database is a later release's.")


def _named(found: list[Finding]) -> str:
    """Return the names of the findings by state, the first few of each."""
    sentences = []
    for state in State:
        names = [finding.name for finding in found if finding.state is state]
        if names:
            more = f" and {len(names) - GUARDS_NAMED} more" if len(names) > GUARDS_NAMED else ""
            sentences.append(f"{state.name}: {', '.join(names[:GUARDS_NAMED])}{more}.")
    return " ".join(sentences)


@dataclass
class _Seen:
    """A short cache of the check of the guards, which would be too expensive for a request every second."""

    at: float = float("-inf")
    found: list[Finding] | None = None

    def guards(self) -> list[Finding]:
        if self.found is None or monotonic() - self.at > GUARDS_KEPT_SECONDS:
            self.found = findings("default")
            self.at = monotonic()
        return self.found


_seen = _Seen()


def _jobs() -> Answer:
    """Return whether workers are running: the last periodic tick is recent, and no job has been due for long.

    A job that waits because another one of its kind is running doesn't count.
    """
    if not settings.JOBS_LATE_MINUTES:
        return Answer()
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
        return red("No worker has run yet.")
    if datetime.fromtimestamp(tick, UTC) < now - late:
        return red(f"No worker has run for {_minutes(now - datetime.fromtimestamp(tick, UTC))}.")
    if due is not None and due < now - late:
        return red(f"A job has been due for {_minutes(now - due)}.")
    return Answer()


def _minutes(length: timedelta) -> str:
    return f"{length // timedelta(minutes=1)} minutes"
