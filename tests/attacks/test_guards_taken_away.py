"""I18: however a guard is taken away, the check names it, and readiness is red."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import Client

from core.guards import findings
from tests.guarding import sql

CENTERS = "subscriptions_contactcenter"
MODE = "onboarding_onboarding"
FINAL = "onboarding_activation_is_final"
EMPTY = "CREATE OR REPLACE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"

# Each way, and the name that the check must say.
WAYS = {
    "dropped": (f"DROP TRIGGER {FINAL} ON {MODE}", FINAL),
    "disabled": (f"ALTER TABLE {MODE} DISABLE TRIGGER {FINAL}", FINAL),
    "all disabled": (f"ALTER TABLE {MODE} DISABLE TRIGGER ALL", FINAL),
    "for replicas only": (f"ALTER TABLE {MODE} ENABLE REPLICA TRIGGER {FINAL}", FINAL),
    "renamed": (f"ALTER TRIGGER {FINAL} ON {MODE} RENAME TO other", FINAL),
    "emptied body": (EMPTY.format(f"{FINAL}()"), FINAL),
    "emptied shared function": (EMPTY.format("guard_refuse_row()"), "guard_refuse_row"),
    "of another function": (
        f"{EMPTY.format('other()')}; CREATE OR REPLACE TRIGGER {FINAL} BEFORE UPDATE ON {MODE} "
        "FOR EACH ROW EXECUTE FUNCTION other()",
        FINAL,
    ),
    "never when": (
        f"CREATE OR REPLACE TRIGGER {FINAL} BEFORE UPDATE ON {MODE} FOR EACH ROW WHEN (false) "
        f"EXECUTE FUNCTION {FINAL}()",
        FINAL,
    ),
    "of fewer events": (
        f"CREATE OR REPLACE TRIGGER {FINAL} BEFORE UPDATE OF reason ON {MODE} FOR EACH ROW EXECUTE FUNCTION {FINAL}()",
        FINAL,
    ),
    "without its search path": (f"ALTER FUNCTION {FINAL}() RESET search_path", FINAL),
    "by another's rights": (f"ALTER FUNCTION {FINAL}() SECURITY DEFINER", FINAL),
    "a constraint dropped": (f"ALTER TABLE {MODE} DROP CONSTRAINT activation_is_whole", "activation_is_whole"),
    "a constraint that is always true": (
        f"ALTER TABLE {MODE} DROP CONSTRAINT activation_is_whole; "
        f"ALTER TABLE {MODE} ADD CONSTRAINT activation_is_whole CHECK (true)",
        "activation_is_whole",
    ),
    "a foreign key dropped": (
        "ALTER TABLE billing_invoiceline DROP CONSTRAINT line_belongs_to_its_invoice",
        "line_belongs_to_its_invoice",
    ),
    "a unique index dropped": ("DROP INDEX one_go_live_request_at_a_time", "one_go_live_request_at_a_time"),
    "a column that may be empty": (f"ALTER TABLE {MODE} ALTER account_id DROP NOT NULL", f"{MODE}.account_id"),
    "a rule instead": (f"CREATE RULE quiet AS ON DELETE TO {CENTERS} DO INSTEAD NOTHING", CENTERS),
    "a rule beside": (f"CREATE RULE loud AS ON UPDATE TO {CENTERS} DO ALSO DELETE FROM billing_latemonth", CENTERS),
    "an added trigger": (
        f"{EMPTY.format('other()')}; CREATE TRIGGER a_first BEFORE UPDATE ON {CENTERS} "
        "FOR EACH ROW EXECUTE FUNCTION other()",
        CENTERS,
    ),
    "row-level security": (f"ALTER TABLE {CENTERS} ENABLE ROW LEVEL SECURITY", CENTERS),
    "a child": (f"CREATE TABLE more () INHERITS ({CENTERS})", CENTERS),
    "in the session": ("SET LOCAL session_replication_role = replica", "session_replication_role"),
    "for the role": ("ALTER ROLE CURRENT_USER SET session_replication_role = replica", "session_replication_role"),
    "for another role": (
        "CREATE ROLE web_of_test; ALTER ROLE web_of_test SET session_replication_role = replica",
        "session_replication_role",
    ),
    "history for the role": ("ALTER ROLE CURRENT_USER SET guards.writing_history = '1'", "guards.writing_history"),
}


def test_there_are_at_least_twenty_ways() -> None:
    assert len(WAYS) >= 20


@pytest.mark.parametrize("way", WAYS)
def test_the_check_names_it_and_readiness_is_red(db: None, client: Client, way: str) -> None:
    change, name = WAYS[way]
    assert findings("default") == []
    sql(change)
    found = {finding.name: finding.state.name for finding in findings("default")}
    assert found.get(name) in ("OFF", "MISSING", "CHANGED", "OUTDATED"), found
    with pytest.raises(SystemCheckError, match=name):
        call_command("check", databases=["default"])
    assert client.get("/readyz").status_code == 503


@pytest.fixture
def of_the_database(transactional_db: None) -> Iterator[str]:
    """The tests' database, whose settings are as before afterwards."""
    name = connection.settings_dict["NAME"]
    yield name
    sql(f"ALTER DATABASE {name} RESET session_replication_role")


def test_a_setting_of_the_database_is_seen(of_the_database: str) -> None:
    sql(f"ALTER DATABASE {of_the_database} SET session_replication_role = replica")
    assert [finding.name for finding in findings("default")] == ["session_replication_role"]
