"""READ COMMITTED is part of the locking protocol: each connection sets it, and nothing is written without it (I27)."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from psycopg import IsolationLevel

from core.guards import all_guards
from tests.guarding import sql

SUFFIX = "_is_read_committed"
WRITTEN_AT_READ_COMMITTED = sorted(guard.table for guard in all_guards() if guard.name.endswith(SUFFIX))
EXERCISED = {f"{table}{SUFFIX}" for table in WRITTEN_AT_READ_COMMITTED}
OTHERS = [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE]
REPEATABLE_READ = r"-c default_transaction_isolation=repeatable\ read"


@pytest.fixture
def raw(db: None) -> Iterator[psycopg.Connection]:
    """A separate connection without our settings."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters["options"] = ""
    with closing(psycopg.connect(**parameters)) as other:
        yield other


KEYS = {"billing_invoicedocument": "invoice_id", "billing_creditnotedocument": "note_id"}


def test_what_the_protocol_needs_is_guarded() -> None:
    assert {
        "accounts_account", "accounts_numberassignment", "onboarding_onboarding", "subscriptions_change",
        "subscriptions_contactcenter", "subscriptions_holding", "billing_callrecord", "billing_billedmonth",
        "billing_latemonth", "billing_invoice", "billing_creditnote",
    } <= set(WRITTEN_AT_READ_COMMITTED)  # fmt: skip


def execute(raw: psycopg.Connection, statement: str) -> None:
    if not statement.startswith("COPY"):
        raw.execute(statement)
        return
    with raw.cursor() as cursor, cursor.copy(statement):
        pass


@pytest.mark.parametrize("level", OTHERS, ids=lambda level: level.name)
@pytest.mark.parametrize("table", WRITTEN_AT_READ_COMMITTED)
def test_nothing_is_written_at_another_level(raw: psycopg.Connection, table: str, level: IsolationLevel) -> None:
    raw.isolation_level = level
    key = KEYS.get(table, "id")
    for statement in (
        f"INSERT INTO {table} DEFAULT VALUES",
        f"UPDATE {table} SET {key} = {key}",
        f"COPY {table} FROM STDIN",
    ):
        with pytest.raises(psycopg.errors.CheckViolation) as refusal:
            execute(raw, statement)
        assert refusal.value.diag.constraint_name == f"{table}{SUFFIX}"
        raw.rollback()


@pytest.fixture
def second() -> Iterator[Any]:
    """A second connection of Django's, made in the same way."""
    other = connection.copy()
    other.settings_dict = {**other.settings_dict, "OPTIONS": dict(other.settings_dict["OPTIONS"])}
    yield other
    other.close()


def test_the_default_of_the_server_does_not_count(db: None, second: Any) -> None:
    options = second.settings_dict["OPTIONS"]["options"]
    second.settings_dict["OPTIONS"]["options"] = f"{REPEATABLE_READ} {options}"  # as if it were a default of the role
    with second.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)


def test_each_transaction_names_the_level_also_behind_a_pooler(db: None, second: Any) -> None:
    with second.cursor() as cursor:  # a pooler may hand out a session with another default
        cursor.execute("SET default_transaction_isolation = 'serializable'")
    second.set_autocommit(False)
    with second.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)
    second.rollback()
    second.set_autocommit(True)


def test_a_session_at_another_level_is_refused(db: None, second: Any) -> None:
    second.settings_dict["OPTIONS"]["options"] = REPEATABLE_READ  # like a pooler that doesn't pass our options on
    with pytest.raises(OperationalError, match="isolation level 'repeatable read'"):
        second.connect()


def test_readiness_is_red_at_another_level(transactional_db: None, client: Client) -> None:
    sql("SET default_transaction_isolation = 'repeatable read'")
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "repeatable read" in answer.json()["checks"]["database"]
    finally:
        sql("RESET default_transaction_isolation")


def test_an_action_runs_at_read_committed(transactional_db: None) -> None:
    with transaction.atomic():
        assert sql("SHOW transaction_isolation") == [("read committed",)]
