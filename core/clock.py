"""The one clock of the product: the database's."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """Return the database's clock at this instant; a verb reads it once, after it has its lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
