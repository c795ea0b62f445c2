"""How the database is emptied after a test that commits: at once, where that can be seen to be the same.

Django's flush truncates every table, which makes 400 files anew, and lets `migrate` make groups, permissions and zones
again. Most tests leave a few rows in a few tables: those are deleted, past the guards, and nothing else is touched.
"""

from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import TransactionTestCase

from tests.guarding import sql

# What flush would empty and `migrate` fill again with the same.
MADE_BY_MIGRATE = (
    "accounts_timezone",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
)
SMALL = 1_000_000  # bytes; deleting would leave a bigger table full of holes
django_flush = TransactionTestCase._fixture_teardown
as_made: list[list[tuple[object, ...]]] = []


def empty(case: TransactionTestCase) -> None:
    """Leave the database as flush leaves it."""
    if as_made != [state_of_what_is_made()] or not deleted():
        django_flush(case)
        as_made[:] = [state_of_what_is_made()]


def begin() -> None:
    """Flush what an earlier run left, with what autovacuum counted: plans made for empty tables are bad ones."""
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
    as_made[:] = [state_of_what_is_made()]


def state_of_what_is_made() -> list[tuple[object, ...]]:
    """Return what changes whenever somebody writes in a table that `migrate` fills: every row names its writer."""
    return sql(
        " UNION ALL ".join(
            f"SELECT '{table}', count(*), sum(xmin::text::bigint), md5(string_agg(ctid::text, '')) FROM {table}"
            for table in MADE_BY_MIGRATE
        )
    )


def deleted() -> bool:
    """Delete the rows of all other tables of Django, and return whether that could be done."""
    tables = sorted(set(connection.introspection.django_table_names(include_views=False)) - set(MADE_BY_MIGRATE))
    try:
        with transaction.atomic():
            # As TRUNCATE does, it waits for everybody who is still at work there.
            sql(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            found = sql(
                " UNION ALL ".join(
                    f"SELECT '{table}', pg_table_size('{table}') WHERE EXISTS (SELECT FROM {table})" for table in tables
                )
            )
            if any(size > SMALL for _, size in found):
                return False
            sql("SET LOCAL session_replication_role = replica")  # no guard, no foreign key
            for table, _ in found:
                sql(f"DELETE FROM {table}")
    except DatabaseError:  # the role may not pass the guards
        return False
    return True
