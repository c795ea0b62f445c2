"""A trigger: no invoice has a recurring line for a day before the activation, or for an account never activated (I6)."""

from django.db import migrations

from core.migration_guards import sealed

# Asked once for each statement, over all the invoices it wrote, whose lines are there before them. The activation is
# final and the account's time zone fixed, so what is right when it is issued stays right.
ACTIVATED = """
CREATE FUNCTION nothing_is_charged_before_activation() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT l.invoice_id AS id, min(l.first) AS first FROM billing_invoiceline l
            WHERE l.invoice_id BETWEEN (SELECT min(id) FROM written) AND (SELECT max(id) FROM written)
                AND l.kind = 'recurring'
            GROUP BY l.invoice_id) charged
        JOIN written w ON w.id = charged.id
        LEFT JOIN (
            SELECT o.account_id, (o.activated_at AT TIME ZONE a.timezone)::date AS day
            FROM onboarding_onboarding o JOIN accounts_account a ON a.id = o.account_id
            WHERE o.account_id BETWEEN (SELECT min(account_id) FROM written) AND (SELECT max(account_id) FROM written)
                AND a.id BETWEEN (SELECT min(account_id) FROM written) AND (SELECT max(account_id) FROM written)
            ) activated ON activated.account_id = w.account_id
        WHERE activated.day IS NULL OR charged.first < activated.day
    ) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $guard$;
CREATE TRIGGER nothing_is_charged_before_activation AFTER INSERT ON billing_invoice
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION nothing_is_charged_before_activation();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_guards"), ("onboarding", "0002_guards")]

    operations = [
        migrations.RunSQL(
            ACTIVATED,
            "DROP TRIGGER nothing_is_charged_before_activation ON billing_invoice;"
            "DROP FUNCTION nothing_is_charged_before_activation();",
        ),
        sealed(),
    ]
