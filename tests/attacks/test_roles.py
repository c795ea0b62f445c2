"""What no role but the owner may do, whatever the guards say: PostgreSQL's rights refuse each attack.

The attackers log in: a session that only said SET ROLE could go back.
"""

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.errors import InsufficientPrivilege

from core.guards import REFUSE_ROW, SharedGuard, all_guards, findings
from core.locks import AdvisoryLock
from core.roles.needs import needs
from tests import roles
from tests.guarding import sql

pytestmark = pytest.mark.owner
CENTERS = "subscriptions_contactcenter"
MODE = "onboarding_onboarding"
FINAL = "onboarding_activation_is_final"
SERVERS = ("web", "worker")
PARTS = (*SERVERS, "report")
FUNCTION = "CREATE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
APPEND_ONLY = sorted(
    guard.table
    for guard in all_guards()
    if isinstance(guard, SharedGuard) and guard.runs is REFUSE_ROW and guard.events == "UPDATE OR DELETE"
)
ATTACKS = {
    "truncate": f"TRUNCATE {MODE}",
    "truncate a session's table": "TRUNCATE django_session",
    "disable a guard": f"ALTER TABLE {MODE} DISABLE TRIGGER {FINAL}",
    "disable all guards": f"ALTER TABLE {MODE} DISABLE TRIGGER ALL",
    "drop a guard": f"DROP TRIGGER {FINAL} ON {MODE}",
    "rename a guard": f"ALTER TRIGGER {FINAL} ON {MODE} RENAME TO other",
    "add a trigger": f"CREATE TRIGGER a_first BEFORE UPDATE ON {CENTERS} EXECUTE FUNCTION guard_refuse_row()",
    "add a rule": f"CREATE RULE quiet AS ON DELETE TO {CENTERS} DO INSTEAD NOTHING",
    "drop a table": "DROP TABLE accounts_refusal",
    "drop a constraint": f"ALTER TABLE {MODE} DROP CONSTRAINT activation_is_whole",
    "drop an index": "DROP INDEX one_go_live_request_at_a_time",
    "let a column be empty": f"ALTER TABLE {MODE} ALTER account_id DROP NOT NULL",
    "row-level security": f"ALTER TABLE {CENTERS} ENABLE ROW LEVEL SECURITY",
    "become the owner": f"ALTER TABLE {CENTERS} OWNER TO CURRENT_USER",
    "empty a guard": f"CREATE OR REPLACE {FUNCTION.format(f'{FINAL}()')[7:]}",
    "drop a function": f"DROP FUNCTION {FINAL}() CASCADE",
    "another search path": f"ALTER FUNCTION {FINAL}() RESET search_path",
    "a function": FUNCTION.format("other()"),
    "a function beside a guard's": FUNCTION.format("public.local_day(text)"),
    "a table": "CREATE TABLE other (id integer)",
    "a child": f"CREATE TABLE more () INHERITS ({CENTERS})",
    "a schema": "CREATE SCHEMA other",
    "replica": "SET session_replication_role = replica",
    "replica in a transaction": "SET LOCAL session_replication_role = replica",
    "replica for the role": "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
    "replica by set_config": "SELECT set_config('session_replication_role', 'replica', false)",
    "a setting of the database": "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1MB''', "
    "current_database()); END $$",
    "a role": "CREATE ROLE other",
    "superuser": "ALTER ROLE CURRENT_USER SUPERUSER",
    "read a file": "COPY (SELECT 1) TO PROGRAM 'true'",
    "count on by hand": "SELECT setval('billing_invoice_id_seq', 1)",
    "a migration forged": "INSERT INTO django_migrations (app, name, applied) VALUES ('core', 'other', now())",
    "the rules of a zone": "UPDATE accounts_timezone SET is_offered = true",
    "a permission": "UPDATE auth_permission SET codename = 'other'",
}


@pytest.fixture(scope="module", autouse=True)
def password(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A password of the roles, for servers that ask for one."""
    with django_db_blocker.unblock():
        if not roles.may_be_made():
            pytest.skip("The role of DATABASE_URL can't make others")
        word = secrets.token_urlsafe()
        for name in roles.names().others():
            sql(f"ALTER ROLE {name} PASSWORD '{word}'")
        yield word
        for name in roles.names().others():
            sql(f"ALTER ROLE {name} PASSWORD NULL")
        connection.close()


@pytest.fixture
def log_in(db: None, password: str) -> Iterator[Any]:
    """Logs in as a role, without the settings that Django gives a session. What it does is rolled back."""
    opened: list[psycopg.Connection] = []

    def connect(part: str) -> psycopg.Connection:
        parameters = {**connection.get_connection_params(), "options": "", "password": password}
        parameters.pop("cursor_factory", None)
        opened.append(psycopg.connect(**{**parameters, "user": getattr(roles.names(), part)}))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def refused(session: psycopg.Connection, statement: str) -> bool:
    """Return whether the session lacks the right, also where it says that it is not only for reading."""
    session.execute("SET default_transaction_read_only = off")
    session.commit()
    try:
        session.execute(statement)
    except InsufficientPrivilege:
        return True
    finally:
        session.rollback()
    return False


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_refused_by_privilege(log_in: Any, attack: str) -> None:
    assert [part for part in PARTS if not refused(log_in(part), ATTACKS[attack])] == []
    assert findings("default") == []


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_is_only_added_to_can_not_be_changed_or_deleted(log_in: Any, table: str) -> None:
    [(column,)] = sql(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND attname NOT IN ('id', 'history_id') LIMIT 1",
        table,
    )
    for part in PARTS:
        assert refused(log_in(part), f"UPDATE {table} SET {column} = {column}"), part
        assert refused(log_in(part), f"DELETE FROM {table}"), part


@pytest.mark.parametrize("part", PARTS)
def test_nobody_gives_a_right_away(log_in: Any, part: str) -> None:
    session = log_in(part)
    session.execute("SET default_transaction_read_only = off")
    session.commit()
    session.execute(f"GRANT SELECT, TRUNCATE ON {CENTERS} TO PUBLIC")  # PostgreSQL only warns that it did nothing
    assert session.execute(f"SELECT has_table_privilege('public', '{CENTERS}', 'SELECT')").fetchone() == (False,)
    session.rollback()


def test_there_are_tables_that_are_only_added_to() -> None:
    assert {"accounts_refusal", "billing_invoice", "billing_creditnote", "subscriptions_change"} <= set(APPEND_ONLY)


@pytest.mark.parametrize("part", PARTS)
def test_rights_are_those_that_are_needed_and_no_more(db: None, part: str) -> None:
    role = getattr(roles.names(), part)
    every = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    found = dict(
        sql(
            "SELECT relname, array_remove(array_agg(CASE WHEN has_table_privilege(%s, c.oid, p) THEN p END), NULL) "
            "FROM pg_class c, unnest(%s::text[]) p "
            "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') GROUP BY relname",
            role,
            [*every],
        )
    )
    for table, need in needs().items():
        wanted = set() if need.hidden and part == "report" else set(getattr(need, part))
        assert set(found.pop(table)) == wanted, table
    assert found == {}  # no table is forgotten


@pytest.mark.parametrize(
    "secret",
    [
        "password FROM accounts_user",
        "data FROM mfa_authenticator",
        "session_data FROM django_session",
        "session_key FROM usersessions_usersession",
        "key FROM account_emailconfirmation",
        "value FROM django_cache",
        "data FROM core_outgoingemail",
        "* FROM accounts_user",
    ],
)
def test_a_report_has_no_secrets(log_in: Any, secret: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        log_in("report").execute(f"SELECT {secret}")


def test_a_report_reads_everything_else(log_in: Any) -> None:
    session = log_in("report")
    hidden = {
        "django_session",
        "mfa_authenticator",
        "usersessions_usersession",
        "account_emailconfirmation",
        "django_cache",
    }
    for table in needs().keys() - hidden - {"accounts_user", "core_outgoingemail"}:
        session.execute(f"SELECT * FROM {table} LIMIT 1")
    session.execute("SELECT email, is_staff FROM accounts_user LIMIT 1")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        session.execute("CREATE TEMPORARY TABLE mine (id integer)")


@pytest.mark.parametrize("part", PARTS)
def test_sessions_have_the_level_and_the_timeouts_without_being_asked(log_in: Any, part: str) -> None:
    found = dict(log_in(part).execute("SELECT name, setting FROM pg_settings").fetchall())
    assert found["transaction_isolation"] == "read committed"
    assert found["lock_timeout"] == "10000"
    assert int(found["statement_timeout"]) == {"report": 900_000}.get(part, 30_000)
    assert int(found["idle_in_transaction_session_timeout"]) == {"web": 60_000}.get(part, 600_000)


@pytest.mark.parametrize("part", SERVERS)
def test_web_and_worker_stage_rows_in_temporary_tables(log_in: Any, part: str) -> None:
    session = log_in(part)
    session.execute("CREATE TEMPORARY TABLE staged (id integer); INSERT INTO staged VALUES (1); TRUNCATE staged")
    assert session.execute("SELECT count(*) FROM staged").fetchone() == (0,)


@pytest.mark.parametrize("lock", AdvisoryLock)
@pytest.mark.parametrize("function", ["pg_advisory_lock", "pg_try_advisory_lock", "pg_advisory_xact_lock_shared"])
def test_a_role_that_only_reads_takes_none_of_our_locks(log_in: Any, function: str, lock: AdvisoryLock) -> None:
    with pytest.raises(InsufficientPrivilege):
        log_in("report").execute(f"SELECT {function}({lock.value})")


def test_a_stranger_can_not_even_connect(log_in: Any, password: str) -> None:
    name = f"{roles.names().owner}_stranger"
    with closing(psycopg.connect(**{**connection.get_connection_params(), "autocommit": True})) as other:
        other.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        try:
            parameters = {**connection.get_connection_params(), "options": "", "user": name, "password": password}
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(**parameters)
        finally:
            other.execute(f"DROP ROLE {name}")
