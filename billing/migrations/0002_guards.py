"""Triggers: what was issued stays as it is, sums are sums, and call records are only ever matched."""

from django.db import migrations

from core.migration_guards import append_only, guard, kept, sealed

# Asked once for each statement, over all the rows it wrote: a run writes thousands. Lines come first, then their invoice.
SUMS = """
CREATE FUNCTION invoice_is_the_sum_of_its_lines() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM written w LEFT JOIN (
            SELECT l.invoice_id, sum(l.amount) AS total, count(*) AS line_count FROM billing_invoiceline l
            WHERE l.invoice_id BETWEEN (SELECT min(id) FROM written) AND (SELECT max(id) FROM written)
            GROUP BY l.invoice_id) s ON s.invoice_id = w.id
        WHERE (w.total, w.line_count::bigint) IS DISTINCT FROM (s.total, s.line_count)
    ) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $guard$;
CREATE TRIGGER invoice_is_the_sum_of_its_lines AFTER INSERT ON billing_invoice
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION invoice_is_the_sum_of_its_lines();
"""

NO_MORE_LINES = """
CREATE FUNCTION issued_invoice_takes_no_line() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM billing_invoice i
        WHERE i.id BETWEEN (SELECT min(invoice_id) FROM written) AND (SELECT max(invoice_id) FROM written)
            AND i.id IN (SELECT invoice_id FROM written)
    ) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $guard$;
CREATE TRIGGER issued_invoice_takes_no_line AFTER INSERT ON billing_invoiceline
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION issued_invoice_takes_no_line();
"""

CALL = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF OLD.account_id IS NOT NULL OR NEW.account_id IS NULL
    OR (NEW.id, NEW.call_id, NEW.number, NEW.caller, NEW.started_at, NEW.seconds, NEW.is_toll_free, NEW.received_in_id)
        IS DISTINCT FROM
       (OLD.id, OLD.call_id, OLD.number, OLD.caller, OLD.started_at, OLD.seconds, OLD.is_toll_free, OLD.received_in_id)
THEN REFUSE; END IF;
"""

COUNTER = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF NEW.invoices < OLD.invoices OR NEW.credit_notes < OLD.credit_notes OR NEW.id <> OLD.id THEN REFUSE; END IF;
"""

HELD = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF OLD.state <> 'held' OR NEW.state = 'held' OR NEW.decided_by_id IS NULL OR NEW.decided_at IS NULL
    OR (NEW.id, NEW.account_id, NEW.month, NEW.total, NEW.why, NEW.held_at)
        IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.month, OLD.total, OLD.why, OLD.held_at) THEN REFUSE; END IF;
"""

CREDIT = """
PERFORM FROM billing_invoice WHERE id = NEW.invoice_id FOR NO KEY UPDATE;
IF NEW.amount + (SELECT coalesce(sum(amount), 0) FROM billing_creditnote WHERE invoice_id = NEW.invoice_id)
    > (SELECT total FROM billing_invoice WHERE id = NEW.invoice_id) THEN REFUSE; END IF;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("accounts", "0002_guards")]

    operations = [
        append_only("billing_invoice"),
        append_only("billing_invoiceline"),
        migrations.RunSQL(
            SUMS,
            "DROP TRIGGER invoice_is_the_sum_of_its_lines ON billing_invoice;"
            "DROP FUNCTION invoice_is_the_sum_of_its_lines();",
        ),
        migrations.RunSQL(
            NO_MORE_LINES,
            "DROP TRIGGER issued_invoice_takes_no_line ON billing_invoiceline;"
            "DROP FUNCTION issued_invoice_takes_no_line();",
        ),
        append_only("billing_billedmonth"),
        append_only("billing_creditnote"),
        append_only("billing_rejectedcall"),
        append_only("billing_failedbill"),
        guard("credit_is_within_the_invoice", "billing_creditnote", "INSERT", CREDIT),
        guard("call_record_is_final", "billing_callrecord", "UPDATE OR DELETE", CALL),
        kept("billing_callrecord"),
        guard("counter_only_counts_on", "billing_counter", "UPDATE OR DELETE", COUNTER),
        kept("billing_counter"),
        guard("held_bill_is_decided_once", "billing_heldbill", "UPDATE OR DELETE", HELD),
        kept("billing_heldbill"),
        sealed(),
    ]
