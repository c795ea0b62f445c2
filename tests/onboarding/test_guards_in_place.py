"""Every guard is in the database, has a message, and is attacked by a test; the check finds a missing one (I18)."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DataError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from core.guards import Guard, all_guards, check_guards, model_constraints
from core.guards.constraints import expected_columns, expected_constraints
from core.migration_guards import sealed
from tests.accounts import test_guards_of_numbers, test_guards_of_the_past, test_zones
from tests.attacks import (
    test_dates_of_deeds,
    test_documents,
    test_keys,
    test_numbers,
    test_past_of_the_ledger,
    test_planted_history,
)
from tests.billing import (
    test_guards_of_bills,
    test_guards_of_calls,
    test_guards_of_credit_notes,
    test_guards_of_parties,
    test_guards_of_the_activation,
    test_guards_of_the_days,
    test_guards_of_voids,
)
from tests.billing.calls import test_final_months
from tests.billing.deliveries import test_deliveries
from tests.billing.runs import test_late_months
from tests.config import test_isolation
from tests.guarding import sql
from tests.onboarding import (
    test_guards_of_the_mode,
    test_guards_see_our_tables,
    test_history_by_the_database,
)
from tests.onboarding.notices import test_guards_of_notices
from tests.subscriptions import test_guards_of_the_ledger, test_guards_of_the_limits

GUARDS = list(all_guards())
ATTACKS = [
    test_deliveries,
    test_guards_of_the_mode,
    test_guards_of_notices,
    test_guards_see_our_tables,
    test_guards_of_the_limits,
    test_guards_of_the_ledger,
    test_guards_of_the_past,
    test_guards_of_numbers,
    test_history_by_the_database,
    test_guards_of_bills,
    test_guards_of_the_activation,
    test_guards_of_calls,
    test_guards_of_credit_notes,
    test_guards_of_the_days,
    test_isolation,
    test_zones,
    test_late_months,
    test_guards_of_voids,
    test_final_months,
    test_keys,
    test_past_of_the_ledger,
    test_dates_of_deeds,
    test_numbers,
    test_planted_history,
    test_documents,
    test_guards_of_parties,
]


def name(guard: Guard) -> str:
    return guard.name


def test_every_guard_is_attacked_by_a_test() -> None:
    assert set().union(*(module.EXERCISED for module in ATTACKS)) == {guard.name for guard in GUARDS}


def test_every_guard_is_listed_once_and_has_words() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
    assert [guard.name for guard in GUARDS if not (guard.sentence[0].isupper() and guard.sentence.endswith("."))] == []


def test_every_trigger_of_the_database_is_listed_as_a_guard(db: None) -> None:
    triggers = sql("SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
    of_the_queue = {model._meta.db_table for model in apps.get_app_config("procrastinate").get_models()}
    ours = [(name, table) for name, table in triggers if table not in of_the_queue]
    assert sorted(ours) == sorted((guard.name, guard.table) for guard in GUARDS)
    assert len(ours) < len(triggers), "the queue has triggers of its own"


def test_what_seals_the_guards_leaves_the_queue_as_its_library_made_it(db: None) -> None:
    with connection.schema_editor() as editor:
        sealed().database_forwards("accounts", editor, ProjectState(), ProjectState())
    settings = dict(
        sql(
            "SELECT DISTINCT proname, proconfig IS NOT NULL FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
            "WHERE NOT tgisinternal"
        )
    )
    assert {sealed for name, sealed in settings.items() if name.startswith("procrastinate_")} == {False}
    assert {sealed for name, sealed in settings.items() if not name.startswith("procrastinate_")} == {True}


def test_a_database_that_is_whole_passes_the_check(db: None) -> None:
    assert check_guards(databases=["default"]) == []
    call_command("check", databases=["default"])


def test_without_databases_nothing_is_asked() -> None:
    assert check_guards() == []  # pytest-django would refuse a query here


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER onboarding_activation_is_final ON onboarding_onboarding",
        "ALTER TABLE onboarding_onboarding DISABLE TRIGGER onboarding_activation_is_final",
        "ALTER TABLE onboarding_onboarding DISABLE TRIGGER USER",
        "ALTER TABLE onboarding_onboarding DROP CONSTRAINT activation_is_whole",
        "DROP INDEX one_go_live_request_at_a_time",
    ],
)
def test_the_command_fails_where_a_guard_is_gone(db: None, change: str) -> None:
    sql(change)
    with pytest.raises(SystemCheckError):
        call_command("check", databases=["default"])


def missing() -> list[str]:
    return [error.msg for error in check_guards(databases=["default"]) if error.is_serious()]


@pytest.mark.parametrize("guard", GUARDS, ids=name)
def test_a_dropped_trigger_is_missed(db: None, guard: Guard) -> None:
    sql(f"DROP TRIGGER {guard.name} ON {guard.table}")
    assert missing() == [f"The guard {guard.name} on {guard.table} is MISSING."]


@pytest.mark.parametrize("guard", GUARDS, ids=name)
def test_a_trigger_switched_off_is_seen(db: None, guard: Guard) -> None:
    sql(f"ALTER TABLE {guard.table} DISABLE TRIGGER {guard.name}")
    assert missing() == [f"The guard {guard.name} on {guard.table} is OFF."]


def test_a_trigger_for_replicas_only_counts_as_switched_off(db: None) -> None:
    sql("ALTER TABLE onboarding_onboarding ENABLE REPLICA TRIGGER onboarding_activation_is_final")
    assert missing() == ["The guard onboarding_activation_is_final on onboarding_onboarding is OFF."]


def test_a_trigger_moved_to_another_table_counts_as_missing(db: None) -> None:
    sql("DROP TRIGGER onboarding_seat_limit ON subscriptions_contactcenter")
    sql(
        "CREATE TRIGGER onboarding_seat_limit BEFORE UPDATE ON accounts_account "
        "FOR EACH ROW EXECUTE FUNCTION guard_refuse_row()"
    )
    assert missing() == ["The guard onboarding_seat_limit on subscriptions_contactcenter is MISSING."]


def test_a_trigger_under_another_name_counts_as_missing(db: None) -> None:
    sql("ALTER TRIGGER onboarding_seat_limit ON subscriptions_contactcenter RENAME TO seat_limit")
    assert missing() == [
        "The guard onboarding_seat_limit on subscriptions_contactcenter is MISSING.",
        "The table subscriptions_contactcenter, which has the trigger seat_limit of somebody else, is CHANGED.",
    ]


SEAT_LIMIT_CHANGED = "The guard onboarding_seat_limit on subscriptions_contactcenter is CHANGED."
NO_GUARD = "CREATE OR REPLACE FUNCTION {} LANGUAGE plpgsql AS $$ BEGIN RETURN {}; END $$"


@pytest.mark.parametrize(
    "change",
    [
        NO_GUARD.format("onboarding_seat_limit() RETURNS trigger", "NEW"),
        "ALTER FUNCTION onboarding_seat_limit() RESET search_path",
        "ALTER FUNCTION onboarding_seat_limit() SET search_path = evil, pg_catalog",
        "ALTER FUNCTION onboarding_seat_limit() SET guards.clock = 'off'",
        "ALTER FUNCTION onboarding_seat_limit() SECURITY DEFINER",
        "CREATE OR REPLACE TRIGGER onboarding_seat_limit BEFORE INSERT ON subscriptions_contactcenter "
        "FOR EACH ROW EXECUTE FUNCTION onboarding_seat_limit()",
        "CREATE OR REPLACE TRIGGER onboarding_seat_limit BEFORE INSERT OR UPDATE ON subscriptions_contactcenter "
        "FOR EACH ROW WHEN (NEW.seats < 0) EXECUTE FUNCTION onboarding_seat_limit()",
        "CREATE OR REPLACE TRIGGER onboarding_seat_limit BEFORE INSERT OR UPDATE ON subscriptions_contactcenter "
        "FOR EACH ROW EXECUTE FUNCTION guard_refuse_isolation()",
    ],
)
def test_a_guard_that_was_altered_is_changed(db: None, change: str) -> None:
    sql(change)
    assert missing() == [SEAT_LIMIT_CHANGED]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("guard_refuse_row", NO_GUARD.format("guard_refuse_row() RETURNS trigger", "NEW")),
        ("writing_history", NO_GUARD.format("writing_history() RETURNS boolean", "true")),
        ("writing_history", "ALTER FUNCTION writing_history() STABLE"),
        (
            "local_day",  # an overload that PostgreSQL prefers for a zone column, because its type is an exact match
            NO_GUARD.format("local_day(zone varchar, moment timestamptz) RETURNS date", "NULL"),
        ),
        (
            "first_open_day",
            "CREATE OR REPLACE FUNCTION first_open_day() RETURNS date STABLE LANGUAGE sql "
            "AS $$ SELECT date '1900-01-01' $$",
        ),
    ],
)
def test_a_function_that_guards_call_is_seen_to_be_changed(db: None, name: str, change: str) -> None:
    sql(change)
    assert missing() == [f"The function {name} that guards call is CHANGED."]


def test_a_function_that_guards_call_is_missed(db: None) -> None:
    sql("DROP FUNCTION first_open_day()")
    assert missing() == ["The function first_open_day that guards call is MISSING."]


def test_all_guards_switched_off_for_a_session_are_seen(db: None) -> None:
    sql("SET LOCAL session_replication_role = 'replica'")
    assert missing() == ["The firing of guards (session_replication_role is set to replica) is OFF."]


def undone(change: str) -> list[str]:
    """Return what the check reports after a change, which is then rolled back."""
    with transaction.atomic():
        sql(change)
        found = missing()
        transaction.set_rollback(True)
    return found


def test_every_named_constraint_of_a_model_is_listed() -> None:
    assert {constraint.name for constraint in model_constraints()} <= {name for _, name in expected_constraints()}


@pytest.mark.parametrize("app", ["core", "accounts", "onboarding", "subscriptions", "billing"])
def test_a_dropped_constraint_is_missed(db: None, app: str) -> None:
    """Each named constraint, foreign key and unique key is dropped alone."""
    tables = {model._meta.db_table for model in apps.get_app_config(app).get_models(include_auto_created=True)}
    ours = {(table, name): text for (table, name), text in expected_constraints().items() if table in tables}
    assert ours
    for (table, constraint), text in ours.items():
        is_index = text.startswith("CREATE ")
        found = undone(
            f"DROP INDEX {constraint}" if is_index else f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE"
        )
        assert f"The constraint {constraint} on {table} is MISSING." in found
        if not text.startswith("PRIMARY KEY") and constraint != "invoice_and_its_line_count":  # foreign keys go too
            assert len(found) == 1


def test_a_column_that_may_be_empty_is_seen(db: None) -> None:
    assert "account_id" in expected_columns()["billing_invoice"]
    sql("ALTER TABLE billing_invoice ALTER total DROP NOT NULL")
    assert missing() == ["The NOT NULL of billing_invoice.total is MISSING."]


@pytest.mark.parametrize(
    ("table", "name", "drop", "definition"),
    [
        ("subscriptions_contactcenter", "seats_are_possible", "CONSTRAINT", "CHECK (seats >= 0) NOT VALID"),
        ("subscriptions_contactcenter", "seats_are_possible", "CONSTRAINT", "CHECK (seats >= -9)"),
        ("accounts_account", "accounts_account_number_key", "CONSTRAINT", "UNIQUE (number, id)"),
        ("accounts_contact", "contact_once_per_role", "CONSTRAINT", "UNIQUE (account_id, user_id, role, id)"),
        (
            "billing_creditnote",
            next(
                name for table, name in expected_constraints() if table == "billing_creditnote" and "_invoice_" in name
            ),
            "CONSTRAINT",
            "FOREIGN KEY (invoice_id) REFERENCES billing_invoice (id) ON DELETE CASCADE",
        ),
    ],
)
def test_a_constraint_that_says_something_else_is_changed(
    db: None, table: str, name: str, drop: str, definition: str
) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(f"ALTER TABLE {table} DROP {drop} {name}")
    sql(f"ALTER TABLE {table} ADD {drop} {name} {definition}")
    assert missing() == [f"The constraint {name} on {table} is CHANGED."]


def test_a_unique_index_that_says_something_else_is_changed(db: None) -> None:
    sql("DROP INDEX one_go_live_request_at_a_time")
    sql("CREATE UNIQUE INDEX one_go_live_request_at_a_time ON onboarding_goliverequest (account_id, id)")
    assert missing() == ["The constraint one_go_live_request_at_a_time on onboarding_goliverequest is CHANGED."]


def test_a_foreign_key_that_the_system_no_longer_looks_at_is_off(db: None) -> None:
    sql("ALTER TABLE billing_creditnote DISABLE TRIGGER ALL")
    off = {message for message in missing() if message.startswith("The constraint")}
    assert off == {
        f"The constraint {name} on {table} is OFF."
        for (table, name), text in expected_constraints().items()
        if table == "billing_creditnote" and text.startswith("FOREIGN KEY")
    }


def test_a_database_that_can_not_be_read_fails_the_check(db: None) -> None:
    with transaction.atomic():
        with pytest.raises(DataError):
            sql("SELECT 1 / 0")  # from now on, the transaction accepts no statement
        assert [error.id for error in check_guards(databases=["default"])] == ["guards.E003"]
        transaction.set_rollback(True)


def test_before_the_first_migrate_there_is_nothing_to_miss(db: None) -> None:
    sql("ALTER TABLE django_migrations RENAME TO not_yet")
    sql("DROP TRIGGER onboarding_seat_limit ON subscriptions_contactcenter")
    assert check_guards(databases=["default"]) == []


@pytest.fixture
def a_migration_waits(db: None) -> None:
    [(app, last)] = MigrationLoader(None).graph.leaf_nodes("billing")
    sql("DELETE FROM django_migrations WHERE app = %s AND name = %s", app, last)


def plan() -> None:
    """Run `migrate --plan`, which runs the system checks and applies nothing."""
    call_command("migrate", plan=True, skip_checks=False, verbosity=0)


def test_what_a_waiting_migration_will_bring_does_not_stop_it(a_migration_waits: None) -> None:
    """`migrate` runs the check first, which must not stop it because of the guards that it is about to install."""
    sql("DROP TRIGGER onboarding_package_lock ON subscriptions_contactcenter")
    sql("DROP INDEX one_go_live_request_at_a_time")
    sql(NO_GUARD.format("onboarding_seat_limit() RETURNS trigger", "NEW"))
    plan()
    with pytest.raises(SystemCheckError):
        call_command("check", databases=["default"])
    sql("ALTER TABLE onboarding_onboarding DISABLE TRIGGER onboarding_activation_is_final")
    with pytest.raises(SystemCheckError, match=r"onboarding_activation_is_final on onboarding_onboarding is OFF\."):
        plan()


def test_while_migrations_wait_another_text_is_outdated(a_migration_waits: None) -> None:
    sql(NO_GUARD.format("onboarding_seat_limit() RETURNS trigger", "NEW"))
    assert missing() == ["The guard onboarding_seat_limit on subscriptions_contactcenter is OUTDATED."]


def test_where_no_migration_waits_migrate_is_stopped(db: None) -> None:
    sql("DROP TRIGGER onboarding_seat_limit ON subscriptions_contactcenter")
    with pytest.raises(SystemCheckError):
        plan()


def test_the_text_of_an_earlier_release_is_outdated(db: None) -> None:
    """A migration was recorded without being run, as by `migrate --fake`."""
    migration = MigrationLoader(None).get_migration("subscriptions", "0008_guards_from_one_source")
    with connection.schema_editor() as editor:
        migration.operations[0].database_backwards("subscriptions", editor, ProjectState(), ProjectState())
    assert missing() == ["The guard onboarding_seat_limit on subscriptions_contactcenter is OUTDATED."]
