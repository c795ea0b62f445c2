"""One calendar (R34): the pinned rules of time zones in a table, the function that decides days by them, and guards."""

from typing import Any

from django.db import migrations, models

from core.migration_guards import guard, read_committed, sealed
from accounts.zone_rules import load_zone_rules

# Filled here and after each later migrate. PLAIN: the arrays are read for every call record.
TABLE = """
CREATE TABLE accounts_timezone (
    name text PRIMARY KEY,
    is_offered boolean NOT NULL,
    since timestamptz[] NOT NULL,
    shifts integer[] NOT NULL,
    rules text NOT NULL,
    CONSTRAINT timezone_has_a_shift_for_each_change CHECK (cardinality(since) = cardinality(shifts))
);
ALTER TABLE accounts_timezone ALTER since SET STORAGE PLAIN, ALTER shifts SET STORAGE PLAIN;

CREATE FUNCTION local_day(zone text, moment timestamptz) RETURNS date LANGUAGE plpgsql STABLE AS $guard$
BEGIN
    -- Before the first change that is stored, the first offset counts. A zone without rules has no days: null.
    RETURN (SELECT ((moment AT TIME ZONE 'UTC')
        + z.shifts[greatest(width_bucket(moment, z.since), 1)] * interval '1 second')::date
        FROM accounts_timezone z WHERE z.name = zone);
END $guard$;
CREATE FUNCTION guard_refuse_isolation() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $guard$;
DO $seal$
BEGIN
    EXECUTE format('ALTER FUNCTION local_day SET search_path = pg_catalog, %I, pg_temp', current_schema());
END $seal$;
"""
BACK = """
DROP FUNCTION guard_refuse_isolation();
DROP FUNCTION local_day(text, timestamptz);
DROP TABLE accounts_timezone;
"""

# An account from before this rule keeps its zone, and can be changed otherwise.
OFFERED = """
IF TG_OP = 'INSERT' OR NEW.timezone <> OLD.timezone THEN
    IF NOT EXISTS (SELECT FROM accounts_timezone WHERE name = NEW.timezone AND is_offered) THEN REFUSE; END IF;
END IF;
"""
HELP = (
    "Days and months of bills are this zone's. Once Contact Center is installed, only an administrator can correct it, "
    "as long as no invoice was issued."
)


def timezone_field() -> models.CharField:
    return models.CharField(default="America/New_York", help_text=HELP, max_length=64, verbose_name="time zone")


def fill(apps: Any, schema_editor: Any) -> None:
    load_zone_rules(schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_writing_history")]

    operations = [
        migrations.RunSQL(TABLE, BACK),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("account", "timezone", timezone_field()),
        migrations.AlterField("historicalaccount", "timezone", timezone_field()),
        migrations.AlterModelOptions(
            "account",
            {
                "ordering": ["number"],
                "permissions": [("correct_timezone", "Can correct the time zone of an account with Contact Center")],
            },
        ),
        guard("account_timezone_is_offered", "accounts_account", "INSERT OR UPDATE", OFFERED),
        read_committed("accounts_account"),
        read_committed("accounts_phonenumber"),
        read_committed("accounts_numberassignment"),
        sealed(),
    ]
