"""`make_roles`: what it sets up, that it does so again after anything was changed, and the check of the role in use."""

import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from core.roles.checking import check_role
from core.roles.needs import unknown_tables
from core.roles.plan import plan
from tests import roles
from tests.guarding import sql

pytestmark = pytest.mark.owner
PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def needs_an_administrator(db: None) -> None:
    if not roles.may_be_made():
        pytest.skip("The role of DATABASE_URL can't make others")


def made(**options: Any) -> str:
    """Run the command for the roles of the tests' database, and return what it printed."""
    printed = StringIO()
    call_command("make_roles", **{"owner": roles.names().owner, **options}, stdout=printed)
    return printed.getvalue()


def missing() -> list[str]:
    return plan(connection, roles.names())


def test_running_it_again_does_nothing(db: None) -> None:
    assert missing() == []
    assert "Everything was in place." in made()
    assert made(dry_run=True) == ""


# What somebody may have changed; {web}, {report} and {owner} are the roles' names.
CHANGES = {
    "a right on a table": "GRANT TRUNCATE ON accounts_account TO {web}",
    "a right that a guard makes useless": "GRANT UPDATE ON accounts_refusal TO {worker}",
    "a right on a column": "GRANT UPDATE (message) ON accounts_refusal TO {worker}",
    "a right on a secret": "GRANT SELECT ON accounts_user TO {report}",
    "a right on a secret column": "GRANT SELECT (password) ON accounts_user TO {report}",
    "a right that may be passed on": "GRANT SELECT ON accounts_account TO {web} WITH GRANT OPTION",
    "a right of everybody": "GRANT SELECT ON accounts_account TO PUBLIC",
    "connecting, for everybody": "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO PUBLIC', "
    "current_database()); END $$",
    "tables, for everybody": "GRANT CREATE ON SCHEMA public TO PUBLIC",
    "tables": "GRANT CREATE ON SCHEMA public TO {web}",
    "the sequence": "GRANT UPDATE ON SEQUENCE billing_invoice_id_seq TO {web}",
    "advisory locks": "GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC",
    "rights on later tables": "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT TRUNCATE ON TABLES "
    "TO {web}",
    "a right that is needed": "REVOKE INSERT ON accounts_account FROM {web}",
    "a column that is needed": "REVOKE SELECT (email) ON accounts_user FROM {report}",
    "rights on later tables that are needed": "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public "
    "REVOKE INSERT ON TABLES FROM {web}",
    "powers": "ALTER ROLE {web} CREATEDB CREATEROLE BYPASSRLS",
    "a superuser": "ALTER ROLE {report} SUPERUSER",
    "logging in": "ALTER ROLE {web} NOLOGIN",
    "a timeout": "ALTER ROLE {web} SET lock_timeout = 0",
    "the isolation level": "ALTER ROLE {worker} RESET default_transaction_isolation",
    "being a member of the owner": "GRANT {owner} TO {web}",
    "being a member of another": "GRANT {worker} TO {report}",
    "writing everything": "GRANT pg_write_all_data TO {web}",
    "a table of its own": "ALTER TABLE accounts_refusal OWNER TO {web}",
    "a function of its own": "ALTER FUNCTION guard_refuse_row() OWNER TO {web}",
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_somebody_changed_is_put_right(db: None, change: str) -> None:
    sql(CHANGES[change].format(**vars(roles.names())))
    printed = made(dry_run=True)
    assert printed.count(";\n") >= 1
    with transaction.atomic():
        assert "statements were run." in made()
        assert missing() == []
        transaction.set_rollback(True)
    sql(printed)  # what a dry run prints does the same
    assert missing() == []


def test_a_dry_run_writes_nothing(db: None) -> None:
    printed = made(prefix="dry", owner=None, dry_run=True)
    assert 'CREATE ROLE "dry_web" LOGIN;' in printed
    assert sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'dry%%'") == [(0,)]


def test_no_role_gets_a_password_or_a_power(db: None) -> None:
    made(prefix="bare", owner=None)
    found = sql(
        "SELECT rolname, rolpassword, rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls, rolcreatedb, "
        "rolcanlogin FROM pg_authid WHERE rolname LIKE 'bare%%' ORDER BY 1"
    )
    assert found == [
        (f"bare_{part}", None, False, part == "owner", True) for part in ("owner", "report", "web", "worker")
    ]
    assert sql("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'accounts_account'") == [("bare_owner",)]


def test_tables_of_later_migrations_are_covered(db: None) -> None:
    sql("CREATE TABLE later (id serial PRIMARY KEY)")
    for part in ("web", "worker"):
        with roles.as_role(part):
            sql("INSERT INTO later DEFAULT VALUES; UPDATE later SET id = id; DELETE FROM later")
    [(reads,)] = sql("SELECT has_table_privilege(%s, 'later', 'SELECT')", roles.names().report)
    assert not reads  # it may have secrets


def test_what_is_not_ours_is_left_alone(db: None) -> None:
    sql("CREATE ROLE somebody; GRANT SELECT ON accounts_account TO somebody; CREATE TABLE theirs (id integer)")
    sql("ALTER TABLE theirs OWNER TO somebody; GRANT TRUNCATE ON theirs TO PUBLIC")
    made(prefix="other", owner=None)
    assert sql(
        "SELECT pg_get_userbyid(relowner), relacl::text LIKE '%%=D/%%' FROM pg_class WHERE relname = 'theirs'"
    ) == [("somebody", True)]
    assert sql("SELECT has_table_privilege('somebody', 'accounts_account', 'SELECT')") == [(True,)]


def test_every_table_is_of_a_known_kind() -> None:
    assert unknown_tables() == []


def test_no_function_runs_with_the_rights_of_the_owner(db: None) -> None:
    assert sql("SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace") == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"owner": "two_web", "prefix": "two"}, "needs a name of its own"),
        ({"owner": None}, "which is to own nothing"),
        ({"prefix": "p" * 60}, "is too long"),
    ],
)
def test_what_can_not_work_is_refused_with_a_sentence(db: None, options: dict[str, Any], sentence: str) -> None:
    with roles.as_role("web"), pytest.raises(CommandError, match=sentence):
        made(**options)


def test_who_may_not_make_roles_is_told_so_and_nothing_is_changed(db: None) -> None:
    sql("CREATE ROLE nobody; GRANT USAGE ON SCHEMA public TO nobody; SET ROLE nobody")
    with pytest.raises(CommandError, match="Nothing was changed, because the database refused: permission denied"):
        made(prefix="none", owner=None)
    sql("SET ROLE NONE")
    assert sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'none%%'") == [(0,)]


@pytest.mark.parametrize(("part", "warned"), [("web", False), ("worker", False), ("", True)])
def test_the_check_of_a_deployment_warns_about_the_owner(
    db: None, monkeypatch: pytest.MonkeyPatch, part: str, warned: bool
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "config.postgresql")
    if part:
        with roles.as_role(part):
            found = check_role(databases=["default"])
    else:
        found = check_role(databases=["default"])
    assert [message.id for message in found] == ["roles.W001"] * warned
    assert all("make_roles" in message.hint for message in found)


def test_check_deploy_says_it(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "config.postgresql")
    for deploy in (True, False):
        said = StringIO()
        call_command("check", deploy=deploy, databases=["default"], stdout=said, stderr=said)
        assert ("(roles.W001) This process connects as" in said.getvalue()) is deploy


def test_the_embedded_server_may_stay_with_one_role(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "config.embedded")
    assert check_role(databases=["default"]) == []


@pytest.fixture
def new_database(db: None) -> Iterator[tuple[str, str]]:
    """An empty database, and the administrator who owns it: no superuser, but one who may create roles."""
    name = f"{connection.settings_dict['NAME']}_new"
    parameters = {**connection.get_connection_params(), "options": "", "autocommit": True}
    parameters.pop("cursor_factory", None)
    with psycopg.connect(**parameters) as server:
        for statement in (f"DROP DATABASE IF EXISTS {name}", *(f"DROP ROLE IF EXISTS {role}" for role in of(name))):
            server.execute(statement)
        server.execute(f"CREATE ROLE {name}_admin CREATEROLE CREATEDB")
        server.execute(f"CREATE DATABASE {name} OWNER {name}_admin TEMPLATE template0")
        yield name, f"{name}_admin"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for role in of(name):
            server.execute(f"DROP ROLE IF EXISTS {role}")


def of(database: str) -> list[str]:
    return [f"{database}_{part}" for part in ("web", "worker", "report", "owner", "admin")]


def run(database: str, role: str, *words: str) -> str:
    """Run a command in another process on this database as this role, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.in_tests_database", database, *words],
        cwd=PROJECT, env={**os.environ, roles.OF_PROCESSES: role}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_administrator_sets_up_a_new_database_and_the_owner_migrates_it(new_database: tuple[str, str]) -> None:
    database, admin = new_database
    assert "can also take advisory locks" in run(database, admin, "make_roles")
    run(database, f"{database}_owner", "migrate", "--verbosity", "0")
    # After a migrate the owner itself may run it, since the roles are there.
    assert "statements were run." in run(database, f"{database}_owner", "make_roles")
    assert "Everything was in place." in run(database, admin, "make_roles")
    assert "All guards are in place." in run(database, f"{database}_web", "guards")
