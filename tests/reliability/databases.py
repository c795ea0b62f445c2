"""Kills the migrations and the demo in a database of their own, and says what is in it afterwards."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from core.guards import findings
from tests.forking import KILLED
from tests.guarding import sql
from tests.reliability.killing import BEFORE, State, run, state
from tests.remembering import MADE_BY_MIGRATE, all_rows

EVER = datetime(2000, 1, 1, tzinfo=UTC)
SCHEMA = """
    SELECT 'column', attrelid::regclass::text || '.' || attname, format_type(atttypid, atttypmod) || attnotnull
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid AND relnamespace = 'public'::regnamespace
        WHERE attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, md5(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'migration', app, name FROM django_migrations
    ORDER BY 1, 2, 3
"""


def answer_of(ask: Callable[[], Any], database: str, path: Path) -> Any:
    """Return what `ask` returns in another database."""
    status, told, _ = run(lambda: path.write_text(json.dumps(ask())), database=database)
    assert status == 0, told
    return json.loads(path.read_text())


def made() -> list[Any]:
    """Return what migrations have made: tables, constraints, triggers, functions, and the number of their rows."""
    rows = [sql(f"SELECT '{table}', count(*) FROM {table}") for table in MADE_BY_MIGRATE if table != "billing_issuer"]
    return [*map(list, sql(SCHEMA)), *(list(row) for (row,) in rows), *map(str, findings("default"))]


def migrate() -> None:
    call_command("migrate", verbosity=0)


def demo() -> None:
    settings.DEBUG = True
    call_command("demo")


def of_demo(database: str, path: Path) -> State:
    """Return all rows of the demo but for its moments and the salts of its passwords."""
    rows = answer_of(all_rows, database, path)
    found = state(rows, {table: {} for table in rows}, since=EVER, but=())
    for row in found["accounts_user"]:
        del row["password"]
    for row in found["accounts_numberassignment"]:
        del row["period"]
    return found


def killed(work: Callable[[], object], database: str, *, before: int | str) -> None:
    status, told, _ = run(work, dies_before=before, database=database)
    assert status == KILLED, told


def kill_before_all_is_dropped(database: str) -> None:
    """Kill a new demo when it has dropped the one before, and not committed that."""
    killed(demo, database, before="CREATE SCHEMA public")


def kill_migrations(database: str, path: Path) -> None:
    """Kill a new demo while it migrates, and `migrate` once more.

    Then the migrations come to their end, and have made what is in the tests' own database.
    """
    killed(demo, database, before=300)
    killed(migrate, database, before=400)
    status, told, steps = run(migrate, database=database)
    assert status == 0, told
    assert steps.count(BEFORE) < 150, "it began from nothing"
    assert answer_of(made, database, path) == json.loads(json.dumps(made()))
