"""Triggers: a void is kept and marks its record, what is set aside or rejected is decided once, final months stay."""

from django.db import migrations

from core.migration_guards import append_only, guard, kept, sealed

# The first day of the months that are not final. A month has ended everywhere 12 hours after UTC's day. (Policy 11.)
FIRST_OPEN_DAY = """
CREATE FUNCTION first_open_day() RETURNS date STABLE LANGUAGE sql AS $body$
    SELECT (date_trunc('month', (clock_timestamp() AT TIME ZONE 'UTC') - interval '12 hours')
        - make_interval(months => coalesce((SELECT final_after FROM billing_callrules), 18)))::date
$body$;
DO $seal$
BEGIN
    EXECUTE format('ALTER FUNCTION first_open_day() SET search_path = pg_catalog, %I, pg_temp', current_schema());
END $seal$;
"""

CALL = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF (NEW.id, NEW.call_id, NEW.leg, NEW.number, NEW.caller, NEW.started_at, NEW.seconds, NEW.is_toll_free,
        NEW.received_in_id)
    IS DISTINCT FROM (OLD.id, OLD.call_id, OLD.leg, OLD.number, OLD.caller, OLD.started_at, OLD.seconds,
        OLD.is_toll_free, OLD.received_in_id)
THEN REFUSE; END IF;
IF NEW.is_voided <> OLD.is_voided THEN
    IF OLD.is_voided OR (NEW.account_id, NEW.day, NEW.matched_at)
            IS DISTINCT FROM (OLD.account_id, OLD.day, OLD.matched_at)
        OR NOT EXISTS (SELECT FROM billing_callvoid WHERE record_id = NEW.id)
    THEN REFUSE; END IF;
ELSIF OLD.account_id IS NOT NULL OR NEW.account_id IS NULL OR OLD.is_voided THEN REFUSE;
END IF;
"""
CALL_BEFORE = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF OLD.account_id IS NOT NULL OR NEW.account_id IS NULL
    OR (NEW.id, NEW.call_id, NEW.number, NEW.caller, NEW.started_at, NEW.seconds, NEW.is_toll_free, NEW.received_in_id)
        IS DISTINCT FROM
       (OLD.id, OLD.call_id, OLD.number, OLD.caller, OLD.started_at, OLD.seconds, OLD.is_toll_free, OLD.received_in_id)
THEN REFUSE; END IF;
"""

RAISE = """RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"""


def statement_guard(name, table, body):
    """Return the operation for a guard that is asked once for each statement, over all the rows it added."""
    return migrations.RunSQL(
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$
        BEGIN
            {body.replace("REFUSE", RAISE)}
            RETURN NULL;
        END $guard$;
        CREATE TRIGGER {name} AFTER INSERT ON {table}
            REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION {name}();
        """,
        f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();",
    )


# Whoever wrote it: a new record stands, so that it can be voided only with a reason, and has talk time.
STANDS = "IF EXISTS (SELECT FROM written WHERE is_voided OR seconds = 0) THEN REFUSE; END IF;"
MARKS = """
UPDATE billing_callrecord r SET is_voided = true FROM written w WHERE r.id = w.record_id AND NOT r.is_voided;
"""

FINAL_RECORD = """
IF NOT writing_history() AND EXISTS (
    SELECT FROM written WHERE coalesce(day, (started_at AT TIME ZONE 'UTC')::date) < (SELECT first_open_day()))
THEN REFUSE; END IF;
"""
FINAL_VOID = """
IF NOT writing_history() AND EXISTS (
    SELECT FROM written w JOIN billing_callrecord r ON r.id = w.record_id
    WHERE coalesce(r.day, (r.started_at AT TIME ZONE 'UTC')::date) < (SELECT first_open_day()))
THEN REFUSE; END IF;
"""
FINAL_MATCH = """
IF OLD.account_id IS NULL AND NEW.day < first_open_day() AND NOT writing_history() THEN REFUSE; END IF;
"""
FINAL_ASSIGNMENT = """
IF TG_OP = 'INSERT' THEN
    IF lower(NEW.period) < first_open_day()::timestamp AT TIME ZONE 'UTC' AND NOT writing_history() THEN REFUSE; END IF;
ELSIF NEW.period IS DISTINCT FROM OLD.period AND upper(NEW.period) < first_open_day()::timestamp AT TIME ZONE 'UTC'
    AND NOT writing_history()
THEN REFUSE;
END IF;
"""
# A price changes a month only if the item was held then: a new item may have prices of any day.
FINAL_PRICE = """
IF NEW.effective_from < first_open_day() AND NOT writing_history() AND EXISTS (
    SELECT FROM subscriptions_holding h WHERE h.item_id = NEW.item_id AND h.superseded_by_id IS NULL
        AND h.period && daterange(NEW.effective_from, greatest(NEW.effective_from, first_open_day())))
THEN REFUSE; END IF;
"""

SET_ASIDE = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF OLD.state <> 'open' OR NEW.state = 'open'
    OR (NEW.id, NEW.call_id, NEW.leg, NEW.number, NEW.caller, NEW.started_at, NEW.seconds, NEW.received_in_id, NEW.line,
        NEW.reason)
    IS DISTINCT FROM (OLD.id, OLD.call_id, OLD.leg, OLD.number, OLD.caller, OLD.started_at, OLD.seconds,
        OLD.received_in_id, OLD.line, OLD.reason)
THEN REFUSE; END IF;
"""
REJECTED = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF (NEW.id, NEW.received_in_id, NEW.line, NEW.code, NEW.reason, NEW.content, NEW.call_id, NEW.leg)
    IS DISTINCT FROM (OLD.id, OLD.received_in_id, OLD.line, OLD.code, OLD.reason, OLD.content, OLD.call_id, OLD.leg)
    OR (OLD.state <> 'open' AND (NEW.state, NEW.decided_by_id, NEW.decided_at, NEW.note, NEW.settled_in_id)
        IS DISTINCT FROM (OLD.state, OLD.decided_by_id, OLD.decided_at, OLD.note, OLD.settled_in_id))
THEN REFUSE; END IF;
"""
RULES = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF NEW.id <> OLD.id OR (NEW.final_after > OLD.final_after AND OLD.detached_before IS NOT NULL)
    OR NEW.detached_before < OLD.detached_before OR (NEW.detached_before IS NULL AND OLD.detached_before IS NOT NULL)
    OR (NEW.upgraded_at, NEW.last_import_before) IS DISTINCT FROM (OLD.upgraded_at, OLD.last_import_before)
THEN REFUSE; END IF;
"""


def replaced(name, body, before):
    """Return the operation that gives a guard another body, and back."""
    refuse = (
        "RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME "
        "USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"
    )
    return migrations.RunSQL(
        *(
            f"""
            CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$
            BEGIN
                {each.replace("REFUSE", refuse)}
                RETURN NEW;
            END $guard$;
            """
            for each in (body, before)
        )
    )


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0008_records"),
        ("accounts", "0007_number_moves"),
        ("subscriptions", "0006_withdrawn_from"),
    ]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, sealed().sql),  # what the way back replaces is sealed at its end
        migrations.RunSQL(FIRST_OPEN_DAY, "DROP FUNCTION first_open_day();"),
        replaced("call_record_is_final", CALL, CALL_BEFORE),
        statement_guard("call_record_comes_standing", "billing_callrecord", STANDS),
        statement_guard("call_record_of_a_final_month", "billing_callrecord", FINAL_RECORD),
        guard("match_of_a_final_month", "billing_callrecord", "UPDATE", FINAL_MATCH),
        append_only("billing_callvoid"),
        statement_guard("void_of_a_final_month", "billing_callvoid", FINAL_VOID),
        statement_guard("void_marks_its_record", "billing_callvoid", MARKS),
        guard("set_aside_call_is_decided_once", "billing_setasidecall", "UPDATE OR DELETE", SET_ASIDE),
        kept("billing_setasidecall"),
        migrations.RunSQL(
            "DROP TRIGGER billing_rejectedcall_is_final ON billing_rejectedcall;",
            "CREATE TRIGGER billing_rejectedcall_is_final BEFORE UPDATE OR DELETE ON billing_rejectedcall "
            "FOR EACH ROW EXECUTE FUNCTION guard_refuse_row();",
        ),
        guard("rejected_row_is_decided_once", "billing_rejectedcall", "UPDATE OR DELETE", REJECTED),
        guard("call_rules_only_tighten", "billing_callrules", "UPDATE OR DELETE", RULES),
        kept("billing_callrules"),
        guard("assignment_of_a_final_month", "accounts_numberassignment", "INSERT OR UPDATE", FINAL_ASSIGNMENT),
        guard("price_of_a_final_month", "subscriptions_price", "INSERT OR UPDATE", FINAL_PRICE),
        sealed(),
    ]
