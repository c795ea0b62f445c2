"""Checks that database sessions meet the needs of the locking protocol: READ COMMITTED, and our timeouts (I27).

A pooler that drops the startup parameters of a session silently loses both.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections

ISOLATION = "read committed"
SESSION = """
SELECT name, setting FROM pg_settings WHERE name IN ('transaction_isolation', 'lock_timeout', 'statement_timeout')
"""


def what_is_wrong(alias: str) -> str | None:
    """Return a sentence that says what is wrong with the sessions of a database, or None. One query."""
    with connections[alias].cursor() as cursor:
        cursor.execute(SESSION)
        found = dict(cursor.fetchall())
    if (level := found["transaction_isolation"]) != ISOLATION:
        return f"Answers at {level}, not at {ISOLATION}."
    for name, wanted in settings.DATABASE_TIMEOUTS_MS.items():
        if int(found[name]) != wanted:
            return f"Answers with {name} at {found[name]} ms, not at {wanted} ms."
    return None


def check_session(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each database whose sessions have another isolation level or other timeouts."""
    hint = "Let the pooler pass the options of a new session on, or connect without it."
    return [Error(words, hint=hint, id="session.E001") for alias in databases or [] if (words := what_is_wrong(alias))]
