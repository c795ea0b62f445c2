"""The demo's database: checking that it may be dropped, and creating it again."""

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from core.locks import AdvisoryLock, try_to_hold

MARK = "Demo of Contact Center onboarding: `manage.py demo` drops everything in it and starts anew."

STATE = """
SELECT current_database(), shobj_description(d.oid, 'pg_database'),
    EXISTS (SELECT FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM ours))
    OR EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM ours))
FROM pg_database d WHERE d.datname = current_database()
"""
OURS = "WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')"

# `make serve` may hold a connection, and opens a new one for its next page.
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


def start_clean() -> None:
    """Drop an earlier demo, and leave the database as `migrate` creates it.

    Records of the past can't be deleted, by design, so the whole schema is dropped. Raises CommandError if the database
    is neither empty nor marked by an earlier demo, if another demo is being made in it, or if DEBUG is off.
    """
    if not settings.DEBUG:
        raise CommandError("The demo makes log-ins whose password everybody knows, so it runs only where DEBUG=true.")
    with connection.cursor() as cursor:
        cursor.execute(f"{OURS} {STATE}")
        name, mark, in_use = cursor.fetchone()
    if in_use and mark != MARK:
        raise CommandError(
            f"The database “{name}” was not made by the demo and is not empty, so it stays as it is: "
            "name an empty one in DATABASE_URL, or, for the embedded server, start over with `make clean`."
        )
    if not try_to_hold(AdvisoryLock.DEMO):
        raise CommandError(f"Another demo is being made in the database “{name}”: try again when it has ended.")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"COMMENT ON DATABASE {connection.ops.quote_name(name)} IS %s", [MARK])
            cursor.execute(END_OTHERS)
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
    except ProgrammingError as error:
        raise CommandError(f"The demo needs a database that its user owns: {error}".strip()) from error
    call_command("migrate", verbosity=0, interactive=False)
