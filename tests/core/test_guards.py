"""Each guard has one source, from which migrations install it, and the files about constraints are current."""

from collections.abc import Iterator
from dataclasses import replace as with_other
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.migrations import RunSQL
from django.db.migrations.state import ProjectState

from core.guards import OUR_APPS, Guard, StatementGuard, all_functions, all_guards, append_only, check_guards
from core.guards.checking import constraints_of
from core.guards.constraints import expected_constraints, files_for
from core.guards.operations import install, remove, replace
from onboarding.rules import SEAT_LIMIT
from subscriptions.guards import LEDGER_LIMIT_HOLDS, SEAT_LIMIT_HOLDS
from tests.guarding import sql

TABLE = "core_tried"
SMALL = Guard("tried_is_small", TABLE, "DELETE OR INSERT", "IF NEW.n > 2 THEN REFUSE; END IF;", "It is small.")
SMALLER = with_other(SMALL, body="IF NEW.n > 1 THEN REFUSE; END IF;", events="INSERT OR UPDATE")
ONE_AT_A_TIME = StatementGuard(
    "tried_one_at_a_time",
    TABLE,
    "INSERT",
    "IF (SELECT count(*) FROM written) > most THEN REFUSE; END IF;",
    "One at a time.",
    declare="most integer := 1;",
    settings=("enable_nestloop = off",),
)


def test_each_constraint_has_a_sentence() -> None:
    """Django's own has only the constraint's name."""
    constraints = [
        constraint
        for model in apps.get_models()
        if model._meta.app_label in OUR_APPS
        for constraint in model._meta.constraints
    ]
    assert len(constraints) > 60
    assert [
        constraint.name
        for constraint in constraints
        if constraint.violation_error_message == constraint.default_violation_error_message
    ] == []


@pytest.fixture
def tried(db: None) -> Iterator[None]:
    sql(f"CREATE TABLE {TABLE} (id serial PRIMARY KEY, n integer)")
    yield
    sql(f"DROP TABLE {TABLE}")


def forwards(operation: RunSQL) -> None:
    with connection.schema_editor() as editor:
        operation.database_forwards("core", editor, ProjectState(), ProjectState())


def backwards(operation: RunSQL) -> None:
    with connection.schema_editor() as editor:
        operation.database_backwards("core", editor, ProjectState(), ProjectState())


def is_refused(statement: str) -> bool:
    try:
        with transaction.atomic():
            sql(statement)
            transaction.set_rollback(True)
    except IntegrityError:
        return True
    return False


def triggers() -> dict[str, str]:
    return dict(
        sql(
            "SELECT tgname, pg_get_triggerdef(oid, true) FROM pg_trigger "
            "WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal",
            TABLE,
        )
    )


def test_a_guard_is_installed_by_its_source_and_removed(tried: None) -> None:
    guards = [SMALL, ONE_AT_A_TIME, *append_only(TABLE, "It")]
    forwards(install(*guards))
    assert triggers() == {guard.name: guard.trigger for guard in guards}
    assert is_refused(f"INSERT INTO {TABLE} (n) VALUES (3)")
    assert is_refused(f"INSERT INTO {TABLE} (n) VALUES (1), (1)")
    assert not is_refused(f"INSERT INTO {TABLE} (n) VALUES (2)")
    for take, bring in (
        (lambda: backwards(install(*guards)), lambda: forwards(install(*guards))),
        (lambda: forwards(remove(*guards)), lambda: backwards(remove(*guards))),
    ):
        take()
        assert triggers() == {}
        assert sql("SELECT count(*) FROM pg_proc WHERE proname LIKE 'tried%'") == [(0,)]
        bring()
        assert triggers() == {guard.name: guard.trigger for guard in guards}


def test_a_guard_is_replaced_and_put_back(tried: None) -> None:
    forwards(install(SMALL))
    operation = replace(SMALLER, was=SMALL)
    forwards(operation)
    assert triggers() == {SMALLER.name: SMALLER.trigger}
    assert is_refused(f"INSERT INTO {TABLE} (n) VALUES (2)")
    backwards(operation)
    assert triggers() == {SMALL.name: SMALL.trigger}
    assert not is_refused(f"INSERT INTO {TABLE} (n) VALUES (2)")


def test_on_a_new_database_an_earlier_migration_brings_todays_text(tried: None) -> None:
    """Both the migration that installed it and the one that replaced it use the current source."""
    forwards(install(SMALLER))
    before = sql("SELECT oid, xmin::text FROM pg_trigger WHERE tgname = %s", SMALLER.name)
    forwards(replace(SMALLER, was=SMALL))
    forwards(replace(SMALLER))
    assert sql("SELECT oid, xmin::text FROM pg_trigger WHERE tgname = %s", SMALLER.name) == before  # not recreated
    assert is_refused(f"INSERT INTO {TABLE} (n) VALUES (2)")
    backwards(replace(SMALLER))
    assert is_refused(f"INSERT INTO {TABLE} (n) VALUES (2)")


def test_a_migration_that_writes_in_between_needs_the_guard_as_it_was(tried: None) -> None:
    """Today's text names a column that a later migration adds."""
    today = with_other(SMALL, body="IF NEW.extra > 2 THEN REFUSE; END IF;")
    forwards(install(today))
    with pytest.raises(ProgrammingError, match="extra"), transaction.atomic():
        sql(f"INSERT INTO {TABLE} (n) VALUES (2)")
    backwards(install(today))
    forwards(install(SMALL))
    sql(f"INSERT INTO {TABLE} (n) VALUES (2)")
    sql(f"ALTER TABLE {TABLE} ADD extra integer")
    forwards(replace(today, was=SMALL))
    assert is_refused(f"INSERT INTO {TABLE} (n, extra) VALUES (2, 3)")
    assert sql(f"SELECT n, extra FROM {TABLE}") == [(2, None)]


def test_a_guard_finds_our_tables_whoever_writes(tried: None) -> None:
    forwards(install(SMALL, ONE_AT_A_TIME))
    settings = dict(sql("SELECT proname, proconfig FROM pg_proc WHERE proname LIKE 'tried%'"))
    assert settings == {
        "tried_is_small": ["search_path=pg_catalog, public, pg_temp"],
        "tried_one_at_a_time": ["enable_nestloop=off", "search_path=pg_catalog, public, pg_temp"],
    }


def test_the_files_say_what_a_new_database_has(db: None) -> None:
    """If this fails, run `manage.py migrate` and `manage.py guards --write`, and review the difference."""
    for path, text in files_for(constraints_of("default")).items():
        assert path.read_text(encoding="utf-8") == text


def test_no_table_of_ours_is_without_its_constraints(db: None) -> None:
    ours = ("core", "accounts", "onboarding", "subscriptions", "billing")
    tables = {table for (table,) in sql("SELECT relname FROM pg_class WHERE relkind = 'r'") if table.startswith(ours)}
    assert len(tables) > 40
    assert tables <= {table for table, _ in expected_constraints()}


def listed() -> str:
    out = StringIO()
    call_command("guards", stdout=out)
    return out.getvalue()


def test_the_command_lists_what_is_wrong(db: None) -> None:
    assert listed() == "All guards are in place.\n"
    sql("DROP TRIGGER onboarding_seat_limit ON subscriptions_contactcenter")
    out = StringIO()
    with pytest.raises(CommandError, match=r"not as this release makes them: 1\."):
        call_command("guards", stdout=out)
    assert out.getvalue() == "The guard onboarding_seat_limit on subscriptions_contactcenter is MISSING.\n"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("onboarding_seat_limit", "DROP TRIGGER onboarding_seat_limit ON subscriptions_contactcenter"),
        ("onboarding_seat_limit", "ALTER FUNCTION onboarding_seat_limit() RESET search_path"),
        ("onboarding_leaves_history", "DROP TRIGGER onboarding_leaves_history ON onboarding_onboarding"),
        ("billing_invoice_is_final", "DROP TRIGGER billing_invoice_is_final ON billing_invoice"),
        ("first_open_day", "DROP FUNCTION first_open_day()"),
        ("local_day", "ALTER FUNCTION local_day RESET search_path"),
        ("seats_are_possible", "ALTER TABLE subscriptions_contactcenter DROP CONSTRAINT seats_are_possible"),
        ("one_go_live_request_at_a_time", "DROP INDEX one_go_live_request_at_a_time"),
        ("number_assigned_once_at_a_time", "ALTER TABLE accounts_numberassignment DROP CONSTRAINT %s"),
    ],
)
def test_what_the_command_prints_puts_it_right(db: None, name: str, change: str) -> None:
    sql(change.replace("%s", name))
    assert len(check_guards(databases=["default"])) == 1
    out = StringIO()
    call_command("guards", sql=name, stdout=out)
    sql(out.getvalue())
    assert check_guards(databases=["default"]) == []


def test_every_guard_has_sql_that_changes_nothing_where_it_is_in_place(db: None) -> None:
    for each in (*all_guards(), *all_functions()):
        sql(each.sql())
    assert check_guards(databases=["default"]) == []


def test_a_name_that_is_no_guard_is_told(db: None) -> None:
    with pytest.raises(CommandError, match="no guard, constraint or function elephant"):
        call_command("guards", sql="elephant")


def test_the_files_are_written_from_this_releases_database_only(db: None) -> None:
    sql("INSERT INTO django_migrations (app, name, applied) VALUES ('billing', '9999_of_a_later_release', now())")
    with pytest.raises(CommandError, match=r"billing\.9999_of_a_later_release"):
        call_command("guards", write=True)


def test_the_cap_of_seats_in_the_guards_is_that_of_the_rule() -> None:
    assert f"NEW.seats > {SEAT_LIMIT} " in SEAT_LIMIT_HOLDS.body
    assert f"NEW.quantity > {SEAT_LIMIT})" in LEDGER_LIMIT_HOLDS.body


def test_a_constraint_made_of_what_was_printed_is_the_same_as_after_a_restore(db: None) -> None:
    """A dump prints each definition, and the server that reads it prints it with other casts."""
    remade = 0
    for (table, name), text in expected_constraints().items():
        if text.startswith("CHECK"):
            rule, for_new_rows_only, _ = text.partition(" NOT VALID")
            sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {rule} NOT VALID")
            if not for_new_rows_only:
                sql(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        elif text.startswith("CREATE UNIQUE"):
            sql(f"DROP INDEX {name}; {text}")
        else:
            continue
        remade += 1
    assert remade > 50
    assert any(constraints_of("default")[key] != text for key, text in expected_constraints().items())
    assert check_guards(databases=["default"]) == []
