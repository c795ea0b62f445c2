"""What the system checks of the apps share."""

from django.db import connections
from django.db.models import Model


def is_migrated(alias: str, model: type[Model]) -> bool:
    """Return whether the table that a check reads exists: `migrate` runs the checks before it makes them."""
    connections[alias].ensure_connection()  # if the server can't be reached, this raises the error that says so
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [model._meta.db_table])
        is_there: bool = cursor.fetchone()[0]
        return is_there
