"""The product's only clock, which is the database's."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """Return the current time of the database, in UTC. An action reads it once, after it has taken its lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
