"""Triggers: history and refusals are only added to, and an assignment of a number ends once."""

from django.db import migrations

from core.migration_guards import append_only, guard, kept, sealed

FUNCTIONS = """
CREATE FUNCTION guard_refuse_row() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END $guard$;

-- Tests empty their own databases, which Django names test_…; there the guard sleeps unless a test wakes it.
CREATE FUNCTION guard_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF current_database() LIKE 'test\\_%' AND current_setting('guards.truncate', true) IS DISTINCT FROM 'refused' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END $guard$;
"""

ASSIGNMENT = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF NOT upper_inf(OLD.period) OR upper_inf(NEW.period) OR lower(NEW.period) <> lower(OLD.period)
    OR NEW.ended_by_id IS NULL
    OR (NEW.id, NEW.account_id, NEW.number_id, NEW.assigned_by_id)
        IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.number_id, OLD.assigned_by_id) THEN REFUSE; END IF;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTIONS, "DROP FUNCTION guard_refuse_truncate(); DROP FUNCTION guard_refuse_row();"),
        append_only("accounts_refusal"),
        append_only("accounts_historicaluser"),
        append_only("accounts_historicalaccount"),
        append_only("accounts_historicalcontact"),
        append_only("accounts_historicalserviceuser"),
        append_only("accounts_historicalphonenumber"),
        guard("accounts_numberassignment_is_final", "accounts_numberassignment", "UPDATE OR DELETE", ASSIGNMENT),
        kept("accounts_numberassignment"),
        sealed(),
    ]
