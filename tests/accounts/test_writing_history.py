"""The exemption for writing history: within one transaction, and only for the owner of the tables (invariants.md)."""

from pathlib import Path

import pytest
from django.db import connection, transaction

from core.guards import check_guards
from core.past import writing_history
from tests.guarding import sql

PROJECT = Path(__file__).parents[2]
ROOMS = ("core", "accounts", "onboarding", "subscriptions", "billing", "demo", "config")
MAY_WRITE_HISTORY = {"core/past.py", "billing/replay.py", "demo/management/commands/demo.py"}


def is_writing() -> bool:
    return bool(sql("SELECT writing_history()")[0][0])


def test_only_replays_may_write_history() -> None:
    files = (path for room in ROOMS for path in (PROJECT / room).rglob("*.py") if "migrations" not in path.parts)
    users = {str(path.relative_to(PROJECT)) for path in files if "core.past" in path.read_text(encoding="utf-8")}
    assert users <= MAY_WRITE_HISTORY


def test_it_ends_with_its_block(db: None) -> None:
    assert not is_writing()
    with writing_history():
        assert is_writing()
    assert not is_writing()


def test_it_ends_with_its_transaction(transactional_db: None) -> None:
    with writing_history():
        setting = sql("SELECT current_setting('guards.writing_history')")[0][0]
    with transaction.atomic():
        sql("SELECT pg_current_xact_id()")
        assert not is_writing()
        sql("SELECT set_config('guards.writing_history', %s, true)", setting)  # from a transaction that has ended
        assert not is_writing()


def test_it_ends_where_the_block_fails(db: None) -> None:
    with pytest.raises(ZeroDivisionError), writing_history():
        1 / 0  # noqa: B018
    assert not is_writing()


def test_a_role_that_does_not_own_the_tables_can_not_enter_it(db: None) -> None:
    sql("CREATE ROLE clerk NOLOGIN")
    sql("GRANT USAGE ON SCHEMA public TO clerk")
    with writing_history():
        sql("SET LOCAL ROLE clerk")
        assert not is_writing()
        sql("RESET ROLE")
        assert is_writing()


def test_the_check_says_when_it_is_switched_on_for_a_whole_session(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('guards.writing_history', '12', false)")
    assert [message.id for message in check_guards(databases=["default"])] == ["guards.E001"]
    sql("SELECT set_config('guards.writing_history', '', false)")
    assert check_guards(databases=["default"]) == []
