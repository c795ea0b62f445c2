"""Guards compare stored days (R34): a call's day is its instant's, and nothing is charged before the stored activation.

What was invoiced and matched before stays as it is: only new rows are asked.
"""

from django.db import migrations

from core.migration_guards import local_day_of, read_committed, sealed

REFUSE = (
    "RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME "
    "USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"
)

# Asked once for each statement: an import writes thousands of rows, and so does a match. NOT IN is looked up in a hash,
# and accounts by their keys, as in onboarding's 0012.
CALL_DAY = f"""
CREATE FUNCTION call_day_is_local() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM written w
        CROSS JOIN LATERAL (SELECT timezone FROM accounts_account WHERE id = w.account_id OFFSET 0) a
        LEFT JOIN accounts_timezone z ON z.name = a.timezone
        WHERE w.day IS DISTINCT FROM {local_day_of("w.started_at", "z")}
    ) THEN
        {REFUSE};
    END IF;
    RETURN NULL;
END $guard$;
CREATE FUNCTION matched_call_day_is_local() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM written w
        CROSS JOIN LATERAL (SELECT timezone FROM accounts_account WHERE id = w.account_id OFFSET 0) a
        LEFT JOIN accounts_timezone z ON z.name = a.timezone
        WHERE w.id NOT IN (SELECT id FROM before_rows WHERE account_id IS NOT NULL)
            AND w.day IS DISTINCT FROM {local_day_of("w.started_at", "z")}
    ) THEN
        {REFUSE};
    END IF;
    RETURN NULL;
END $guard$;
CREATE TRIGGER call_day_is_local AFTER INSERT ON billing_callrecord
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION call_day_is_local();
CREATE TRIGGER matched_call_day_is_local AFTER UPDATE ON billing_callrecord
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION matched_call_day_is_local();
"""
NO_CALL_DAY = """
DROP TRIGGER matched_call_day_is_local ON billing_callrecord;
DROP TRIGGER call_day_is_local ON billing_callrecord;
DROP FUNCTION matched_call_day_is_local();
DROP FUNCTION call_day_is_local();
"""

# As in 0003, with the stored day. A function that is replaced loses its settings, so they are set again (see 0004).
ACTIVATED = """
CREATE OR REPLACE FUNCTION nothing_is_charged_before_activation() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT l.invoice_id AS id, min(l.first) AS first FROM billing_invoiceline l
            WHERE l.invoice_id BETWEEN (SELECT min(id) FROM written) AND (SELECT max(id) FROM written)
                AND l.kind = 'recurring'
            GROUP BY l.invoice_id) charged
        JOIN written w ON w.id = charged.id
        LEFT JOIN (
            SELECT o.account_id, {day} AS day FROM onboarding_onboarding o{zones}
            WHERE o.account_id BETWEEN (SELECT min(account_id) FROM written) AND (SELECT max(account_id) FROM written)
            ) activated ON activated.account_id = w.account_id
        WHERE activated.day IS NULL OR charged.first < activated.day
    ) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $guard$;
ALTER FUNCTION nothing_is_charged_before_activation() SET enable_nestloop = off;
DO $seal$
BEGIN
    EXECUTE format('ALTER FUNCTION nothing_is_charged_before_activation() SET search_path = pg_catalog, %I, pg_temp',
        current_schema());
END $seal$;
"""


def activated(day: str, zones: str = "") -> str:
    return ACTIVATED.replace("{day}", day).replace("{zones}", zones)


# A zone can be corrected until an invoice was issued: whoever issues one holds the account's lock, as an UPDATE does.
# Nor may the account's today go back into a month that was billed, even without an invoice: what it buys or begins
# then would never be charged.
ZONE = """
CREATE OR REPLACE FUNCTION account_timezone_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF NEW.timezone <> OLD.timezone AND ({fixed}) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $guard$;
"""


FIXED_BEFORE = "EXISTS (SELECT FROM onboarding_onboarding WHERE account_id = OLD.id)"
FIXED = """EXISTS (SELECT FROM billing_invoice WHERE account_id = OLD.id)
        OR EXISTS (SELECT FROM billing_billedmonth WHERE account_id = OLD.id
            AND month >= date_trunc('month', local_day(NEW.timezone, clock_timestamp())))"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_guards_join_by_hash"), ("onboarding", "0012_guards_of_the_days")]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, sealed().sql),  # what the way back replaces is sealed at its end
        migrations.RunSQL(
            activated("o.activated_on"),
            activated("(o.activated_at AT TIME ZONE a.timezone)::date", " JOIN accounts_account a ON a.id = o.account_id"),
        ),
        migrations.RunSQL(CALL_DAY, NO_CALL_DAY),
        migrations.RunSQL(ZONE.format(fixed=FIXED), ZONE.format(fixed=FIXED_BEFORE)),
        *(
            read_committed(f"billing_{table}")
            for table in ("callrecord", "billedmonth", "latemonth", "invoice", "creditnote", "heldbill")
        ),
        sealed(),
    ]
