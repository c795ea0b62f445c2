"""Views for reports, which the role report reads; docs/reporting.md describes them (R41)."""

from django.db import migrations

VIEWS = {
    "reporting_accounts": """
        SELECT a.number AS account, a.company, a.timezone, o.started_on AS onboarding_since, o.activated_on,
            CASE WHEN o.id IS NULL THEN 'not installed' WHEN o.activated_at IS NULL THEN 'onboarding' ELSE 'active' END
                AS mode,
            e.name AS edition, c.seats, s.name AS recording_storage, p.name AS toll_free_package
        FROM accounts_account a
        LEFT JOIN onboarding_onboarding o ON o.account_id = a.id
        LEFT JOIN subscriptions_contactcenter c ON c.account_id = a.id
        LEFT JOIN subscriptions_item e ON e.id = c.edition_id
        LEFT JOIN subscriptions_item s ON s.id = c.storage_id
        LEFT JOIN subscriptions_item p ON p.id = c.package_id""",
    "reporting_invoices": """
        SELECT 'INV-' || lpad(i.number::text, greatest(6, length(i.number::text)), '0') AS invoice, d.account_number AS account,
            coalesce(p.legal_name, d.company) AS company, i.month, d.issued_on, d.due_on, i.total,
            coalesce((SELECT sum(n.amount) FROM billing_creditnote n WHERE n.invoice_id = i.id), 0) AS credited
        FROM billing_invoice i
        JOIN billing_invoicedocument d ON d.invoice_id = i.id
        LEFT JOIN billing_billingprofile p ON p.id = d.profile_id""",
    "reporting_invoice_lines": """
        SELECT 'INV-' || lpad(i.number::text, greatest(6, length(i.number::text)), '0') AS invoice, l.position, l.kind, l.sku,
            l.month, l.first, l.last, l.quantity, l.unit_price, l.minutes, l.included, l.invoiced, l.amount
        FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id""",
    "reporting_credit_notes": """
        SELECT 'CN-' || lpad(n.number::text, greatest(6, length(n.number::text)), '0') AS credit_note,
            'INV-' || lpad(i.number::text, greatest(6, length(i.number::text)), '0') AS invoice, d.account_number AS account,
            coalesce(p.legal_name, d.company) AS company, d.issued_on, n.amount, n.reason
        FROM billing_creditnote n
        JOIN billing_invoice i ON i.id = n.invoice_id
        JOIN billing_creditnotedocument d ON d.note_id = n.id
        LEFT JOIN billing_billingprofile p ON p.id = d.profile_id""",
}


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0023_deliveries"),
        ("accounts", "0010_made_now"),
        ("onboarding", "0018_dated_when_made"),
        ("subscriptions", "0013_spanish_names"),
    ]

    operations = [
        migrations.RunSQL(f"CREATE VIEW {name} AS {query}", f"DROP VIEW {name}")  # noqa: S608 - our own text
        for name, query in VIEWS.items()
    ]
