"""Empties the database after a test that commits, faster than Django's flush when the result is the same.

Django's flush truncates every table, which creates 400 files again, and then `migrate` recreates groups, permissions
and time zones. Most tests leave a few rows in a few tables, so only those rows are deleted, bypassing the guards. The
issuer of documents stays.
"""

from datetime import date

from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import TransactionTestCase

from billing.models import Issuer
from tests.guarding import sql
from tests.remembering import MADE_BY_MIGRATE, forget

SMALL = 1_000_000  # bytes; in a larger table, deleting would leave too many dead rows
django_flush = TransactionTestCase._fixture_teardown
as_made: list[list[tuple[object, ...]]] = []


def empty(case: TransactionTestCase) -> None:
    """Leave the database as Django's flush leaves it; replaces `TransactionTestCase._fixture_teardown`."""
    if as_made != [state_of_what_is_made()] or not deleted():
        django_flush(case)
        forget()
        make_issuer()
        as_made[:] = [state_of_what_is_made()]


def begin() -> None:
    """Flush what an earlier run left, with what autovacuum counted: plans made for empty tables are bad ones.

    If no test asks for a database but a fixture does, pytest-django makes none, and this would empty another one.
    """
    name = str(connection.settings_dict["NAME"])
    assert name.startswith("test_"), f"{name} is not the tests' database, so it is not emptied"
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
    make_issuer()
    # Forged keys in tests are small numbers, which no row may have.
    sql(
        "SELECT setval(s.seqrelid::regclass, 10000) FROM pg_sequence s WHERE pg_sequence_last_value(s.seqrelid) IS NULL"
    )
    as_made[:] = [state_of_what_is_made()]


def make_issuer() -> None:
    """Add the issuer that documents of all days name, as a provider does before the first bill run."""
    Issuer.objects.create(
        effective_from=date(2000, 1, 1),
        legal_name="Example Telecom, Inc.",
        street="1 Main Street",
        city="Springfield",
        region="IL",
        postal_code="62701",
        country="US",
        tax_number="12-3456789",
        contact_name="Accounts receivable",
        email="billing@example.com",
        payment_instructions="By bank transfer to account 000123456789 at Example Bank.",
    )


def state_of_what_is_made() -> list[tuple[object, ...]]:
    """Return a fingerprint of the tables that `migrate` fills, which changes with every write to them (xmin, ctid)."""
    return sql(
        " UNION ALL ".join(
            f"SELECT '{table}', count(*), sum(xmin::text::bigint), md5(string_agg(ctid::text, '')) FROM {table}"
            for table in MADE_BY_MIGRATE
        )
    )


def deleted() -> bool:
    """Delete the rows of all other tables. Return False, with nothing deleted, if flush has to do it instead."""
    tables = sorted(set(connection.introspection.django_table_names(include_views=False)) - set(MADE_BY_MIGRATE))
    try:
        with transaction.atomic():
            # Like TRUNCATE, this waits for transactions that still use the tables.
            sql(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            found = sql(
                " UNION ALL ".join(
                    f"SELECT '{table}', pg_table_size('{table}') WHERE EXISTS (SELECT FROM {table})" for table in tables
                )
            )
            if any(size > SMALL for _, size in found):
                return False
            sql("SET LOCAL session_replication_role = replica")  # disables guards and foreign keys
            for table, _ in found:
                sql(f"DELETE FROM {table}")
    except DatabaseError:  # the role isn't allowed to bypass the guards
        return False
    return True
