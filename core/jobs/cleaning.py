"""Deletes rows that would pile up and that nobody needs any longer, none of which are records of the past."""

from datetime import datetime, timedelta

from django.db import connection

CHUNK = 10_000
JOBS_DONE_KEPT = timedelta(days=3)
JOBS_FAILED_KEPT = timedelta(days=60)

# For each kind of row, in words, the statement that deletes a chunk, so that each statement takes only a short time.
STATEMENTS = {
    "sessions": """
        DELETE FROM django_session WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM django_session WHERE expire_date < %(now)s LIMIT %(chunk)s))
    """,
    "cached values": """
        DELETE FROM django_cache WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM django_cache WHERE expires < %(now)s LIMIT %(chunk)s))
    """,
    "jobs": """
        DELETE FROM procrastinate_jobs WHERE id = ANY(ARRAY(
            SELECT id FROM procrastinate_jobs j
            WHERE status IN ('succeeded', 'cancelled', 'aborted', 'failed') AND NOT EXISTS (
                SELECT FROM procrastinate_events e WHERE e.job_id = j.id
                AND e.at >= CASE j.status WHEN 'failed' THEN %(failed_since)s ELSE %(done_since)s END)
            LIMIT %(chunk)s))
    """,
    "errors of jobs": """
        DELETE FROM config_joberror WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM config_joberror e
            WHERE NOT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.id = e.job_id) LIMIT %(chunk)s))
    """,
}


def clean_up(*, now: datetime) -> dict[str, int]:
    """Delete what has expired at `now`, in chunks, and return how many rows of each kind were deleted, if any.

    Jobs are kept for three days after they ended, and failed ones for 60 days.
    """
    return {what: deleted for what, statement in STATEMENTS.items() if (deleted := _delete(statement, now))}


def _delete(statement: str, now: datetime) -> int:
    values: dict[str, datetime | int] = {
        "now": now,
        "chunk": CHUNK,
        "done_since": now - JOBS_DONE_KEPT,
        "failed_since": now - JOBS_FAILED_KEPT,
    }
    total = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, values)
            deleted: int = cursor.rowcount
            total += deleted
            if deleted < CHUNK:
                return total
