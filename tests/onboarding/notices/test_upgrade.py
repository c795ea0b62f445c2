"""Notices from before the outbox move into it unchanged, and back again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import IntegrityError

ALIAS = "moved"
BEFORE = [("onboarding", "0014_kinds_of_notices"), ("core", "0002_content_types")]
AFTER = [("onboarding", "0015_notices_in_the_outbox")]

# For one occasion, two notices were dropped and a third one is waiting.
ROWS = """
INSERT INTO accounts_user (id, email, password, first_name, last_name, is_superuser, is_staff, is_active, date_joined,
    language, is_system)
VALUES (1, 'ada@example.com', '!', '', '', false, false, true, now(), 'en', false),
    (2, 'ben@example.com', '!', '', '', false, false, false, now(), 'es', false);
INSERT INTO accounts_account (id, number, company, timezone, created_at)
VALUES (1, '100001', 'One', 'UTC', '2026-01-01');
INSERT INTO onboarding_notice (id, account_id, to_id, kind, occasion, facts, created_at, due_at, state, attempts,
    settled_at, error, subject, body)
VALUES
    (3, 1, 1, 'soon', '2026-03-17', '{"activates_on": "2026-03-17"}', '2026-03-10', '2026-03-10', 'dropped', 0,
        '2026-03-11', 'Called off', '', ''),
    (4, 1, 1, 'soon', '2026-03-17', '{"activates_on": "2026-03-17"}', '2026-03-10', '2026-03-12', 'dropped', 2,
        '2026-03-12', 'Moved', '', ''),
    (7, 1, 1, 'soon', '2026-03-17', '{"activates_on": "2026-03-17"}', '2026-03-13', '2026-03-14', 'waiting', 3,
        NULL, '451 Later', '', ''),
    (8, 1, 2, 'installed', 'installed', '{"edition": "Pro"}', '2026-03-01', '2026-03-01', 'sent', 1,
        '2026-03-01 00:01', '', 'Installed', 'Words'),
    (9, 1, 2, 'activated', 'activated', '{}', '2026-03-17', '2026-03-18', 'failed', 29,
        '2026-03-22', '550 No such mailbox', '', '');
"""
NOTICES = "SELECT to_jsonb(n) FROM onboarding_notice n ORDER BY id"
MOVED = (
    "SELECT to_jsonb(n) || to_jsonb(e) FROM onboarding_notice n JOIN core_outgoingemail e ON e.id = email_id ORDER BY 1"
)


@pytest.fixture
def old(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A separate database with notices from before the outbox."""
    with django_db_blocker.unblock():
        connections.databases[ALIAS] = {**connections.databases["default"], "NAME": f"test_{ALIAS}"}
        with connections["default"]._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS test_{ALIAS}")
            cursor.execute(f"CREATE DATABASE test_{ALIAS}")
        try:
            migrate(BEFORE)
            run(ROWS)
            yield
        finally:
            connections[ALIAS].close()
            del connections[ALIAS], connections.databases[ALIAS]
            with connections["default"]._nodb_cursor() as cursor:
                cursor.execute(f"DROP DATABASE test_{ALIAS}")


def migrate(targets: list[tuple[str, str]]) -> None:
    MigrationExecutor(connections[ALIAS]).migrate(targets)


def run(statement: str) -> list[Any]:
    """Run a statement, and return the first value of each of its rows."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(statement)
        return [value for value, *_ in cursor.fetchall()] if cursor.description else []


def rows(query: str) -> list[dict[str, Any]]:
    """Return the rows of a query that returns each as JSON."""
    return [json.loads(row) for row in run(query)]


def test_each_notice_moves_to_the_outbox_as_it_was_and_back(old: None) -> None:
    before = rows(NOTICES)
    assert len(before) == 5
    migrate(AFTER)
    moved = {row["email_id"]: row for row in rows(MOVED)}
    addresses = {1: "ada@example.com", 2: "ben@example.com"}
    for was in before:
        now = moved.pop(was["id"])
        data = was.pop("facts")
        assert (now["data"], now["address"]) == (data, addresses[was["to_id"]])
        kept = was.keys() - {"kind"}
        assert {name: now[name] for name in kept} == {name: was[name] for name in kept}
        assert now["dropped"] == (was["state"] == "dropped")
        was["facts"] = data
    assert moved == {}
    assert run("SELECT kind FROM onboarding_notice ORDER BY email_id") == [was["kind"] for was in before]
    assert run("SELECT DISTINCT kind FROM core_outgoingemail") == ["onboarding.notice"]
    run("INSERT INTO core_outgoingemail (kind, address, data) VALUES ('else', 'eve@example.com', '{}')")
    assert run("SELECT id FROM core_outgoingemail WHERE kind = 'else'") == [10]
    migrate(BEFORE[:1])
    assert rows(NOTICES) == before
    assert run("SELECT kind FROM core_outgoingemail") == ["else"], "what is no notice stays"
    migrate(AFTER)
    assert len(run(MOVED)) == 5


def test_a_moved_notice_leaves_no_room_for_another_unless_it_was_dropped(old: None) -> None:
    migrate(AFTER)
    again = """
    WITH email AS (INSERT INTO core_outgoingemail (kind, address, data) VALUES ('onboarding.notice', 'x', '{}')
        RETURNING id)
    INSERT INTO onboarding_notice (email_id, account_id, to_id, kind, occasion) SELECT id, 1, 1, 'soon', '2026-03-17'
    FROM email
    """
    with pytest.raises(IntegrityError, match="notice_once_per_occasion"):
        run(again)
    run("UPDATE core_outgoingemail SET state = 'dropped', settled_at = now() WHERE id = 7")
    run(again)


def test_notices_written_after_the_way_back_get_new_keys(old: None) -> None:
    migrate(AFTER)
    migrate(BEFORE[:1])
    run("INSERT INTO onboarding_notice (account_id, to_id, kind, occasion, facts) VALUES (1, 1, 'extended', '1', '{}')")
    assert run("SELECT max(id) FROM onboarding_notice") == [10]
