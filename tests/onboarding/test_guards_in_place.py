"""That every guard is in the database, has words, and is attacked by a test; and that its absence is seen (I18)."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DataError, connection, transaction
from django.db.migrations.state import ProjectState

from core.guards import Guard, all_guards, check_guards, model_constraints
from core.migration_guards import sealed
from tests.accounts import test_guards_of_numbers, test_guards_of_the_past, test_zones
from tests.billing import (
    test_guards_of_bills,
    test_guards_of_calls,
    test_guards_of_credit_notes,
    test_guards_of_the_activation,
    test_guards_of_the_days,
    test_guards_of_voids,
)
from tests.billing.calls import test_final_months
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
    assert missing() == [f"The guard {guard.name} on {guard.table} is missing."]


@pytest.mark.parametrize("guard", GUARDS, ids=name)
def test_a_trigger_switched_off_is_seen(db: None, guard: Guard) -> None:
    sql(f"ALTER TABLE {guard.table} DISABLE TRIGGER {guard.name}")
    assert missing() == [f"The guard {guard.name} on {guard.table} is switched off."]


def test_a_trigger_for_replicas_only_counts_as_switched_off(db: None) -> None:
    sql("ALTER TABLE onboarding_onboarding ENABLE REPLICA TRIGGER onboarding_activation_is_final")
    assert missing() == ["The guard onboarding_activation_is_final on onboarding_onboarding is switched off."]


def test_a_trigger_moved_to_another_table_counts_as_missing(db: None) -> None:
    sql("DROP TRIGGER onboarding_seat_limit ON subscriptions_contactcenter")
    sql(
        "CREATE TRIGGER onboarding_seat_limit BEFORE UPDATE ON accounts_account "
        "FOR EACH ROW EXECUTE FUNCTION guard_refuse_row()"
    )
    assert missing() == ["The guard onboarding_seat_limit on subscriptions_contactcenter is missing."]


@pytest.mark.parametrize("constraint", [constraint.name for constraint in model_constraints()])
def test_a_dropped_constraint_is_missed(db: None, constraint: str) -> None:
    [(table, is_constraint)] = sql(
        "SELECT conrelid::regclass::text, true FROM pg_constraint WHERE conname = %s "
        "UNION SELECT tablename, false FROM pg_indexes WHERE indexname = %s ORDER BY 2 DESC LIMIT 1",
        constraint,
        constraint,
    )
    sql(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if is_constraint else f"DROP INDEX {constraint}")
    assert missing() == [f"The constraint {constraint} is missing."]


def test_a_constraint_that_is_not_validated_is_missed(db: None) -> None:
    sql("ALTER TABLE subscriptions_contactcenter DROP CONSTRAINT seats_are_possible")
    sql("ALTER TABLE subscriptions_contactcenter ADD CONSTRAINT seats_are_possible CHECK (seats >= 0) NOT VALID")
    assert missing() == ["The constraint seats_are_possible is missing."]


def test_a_database_that_can_not_be_read_fails_the_check(db: None) -> None:
    with transaction.atomic():
        with pytest.raises(DataError):
            sql("SELECT 1 / 0")  # now the transaction takes no more statements
        assert [error.id for error in check_guards(databases=["default"])] == ["guards.E003"]
        transaction.set_rollback(True)


def test_before_the_first_migrate_there_is_nothing_to_miss(db: None) -> None:
    sql("ALTER TABLE django_migrations RENAME TO not_yet")
    sql("DROP TRIGGER onboarding_seat_limit ON subscriptions_contactcenter")
    assert check_guards(databases=["default"]) == []


def test_what_a_waiting_migration_will_bring_does_not_stop_it(db: None) -> None:
    """`migrate` asks the check first: it would refuse to bring the guards that it misses."""
    sql("DELETE FROM django_migrations WHERE app = 'subscriptions' AND name = '0003_price_is_not_moved_back'")
    sql("DROP TRIGGER onboarding_seat_limit ON subscriptions_contactcenter")
    assert [message.id for message in check_guards(databases=["default"])] == ["guards.W001"]
    sql("ALTER TABLE onboarding_onboarding DISABLE TRIGGER onboarding_activation_is_final")
    assert missing() == ["The guard onboarding_activation_is_final on onboarding_onboarding is switched off."]
