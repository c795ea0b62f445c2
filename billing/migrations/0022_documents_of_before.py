"""Existing invoices and credit notes get documents that say what is true today, and from now on each needs one (I22).

Nobody had entered an issuer or a billing profile before, so these documents name the brand and the company.
"""

import json
from dataclasses import replace as changed
from typing import Any

from django.db import connection, migrations

from billing.documents.presentation import content_today, digest_of
from billing.guards.numbers import COUNTER_COUNTS_DOCUMENTS, CREDIT_NOTES, INVOICES
from core.guards.operations import replace

NUMBERED = "(SELECT count(*) FROM {documents} WHERE number > coalesce(OLD.{of}, 0) AND number <= NEW.{of})"
DAY = "coalesce(local_day(a.timezone, {at}), ({at} AT TIME ZONE 'UTC')::date)"
TODAY = """%(presentation)s::bigint AS presentation_id, NULL::bigint AS issuer_id, NULL::bigint AS profile_id, a.company,
    a.number AS account_number, a.timezone, 'en' AS language, {day} AS issued_on, true AS reconstructed"""
COLUMNS = """presentation_id, issuer_id, profile_id, company, account_number, timezone, language, issued_on,
    reconstructed"""
# Digests are computed as they were when this migration was written, whatever they are later.
COMMON = """s.digest, NULL::text, NULL::text, papers.company, papers.account_number, papers.timezone, papers.language,
    papers.issued_on - date '2000-01-01', papers.reconstructed"""
OF_INVOICES = f"""
    WITH papers AS MATERIALIZED (
        SELECT i.id AS invoice_id, {TODAY.format(day=DAY.format(at="i.issued_at"))}, NULL::date AS due_on
        FROM billing_invoice i JOIN accounts_account a ON a.id = i.account_id
        WHERE NOT EXISTS (SELECT FROM billing_invoicedocument d WHERE d.invoice_id = i.id)
    ), lines AS (
        SELECT l.invoice_id, string_agg(ROW(
            l.position, l.kind, l.sku, l.month - date '2000-01-01', l.first - date '2000-01-01',
            l.last - date '2000-01-01', l.quantity, l.unit_price, l.amount, l.per_seat, l.minutes, l.included,
            l.package_minutes, l.invoiced)::text, '' ORDER BY l.position) AS text
        FROM billing_invoiceline l GROUP BY l.invoice_id)
    INSERT INTO billing_invoicedocument (invoice_id, {COLUMNS}, due_on, digest)
    SELECT invoice_id, {COLUMNS}, due_on, encode(sha256(convert_to(ROW(
        'invoice', i.id, i.number, i.account_id, i.month - date '2000-01-01', extract(epoch FROM i.issued_at), i.total,
        {COMMON}, papers.due_on - date '2000-01-01')::text || lines.text, 'UTF8')), 'hex')
    FROM papers JOIN billing_invoice i ON i.id = papers.invoice_id
    JOIN billing_presentation s ON s.id = papers.presentation_id
    LEFT JOIN lines USING (invoice_id)"""
OF_NOTES = f"""
    WITH papers AS MATERIALIZED (
        SELECT n.id AS note_id, {TODAY.format(day=DAY.format(at="n.at"))}
        FROM billing_creditnote n JOIN billing_invoice i ON i.id = n.invoice_id
        JOIN accounts_account a ON a.id = i.account_id
        WHERE NOT EXISTS (SELECT FROM billing_creditnotedocument d WHERE d.note_id = n.id)
    )
    INSERT INTO billing_creditnotedocument (note_id, {COLUMNS}, digest)
    SELECT note_id, {COLUMNS}, encode(sha256(convert_to(ROW(
        'credit note', n.id, n.number, n.invoice_id, i.number, i.account_id, n.amount, n.reason,
        extract(epoch FROM n.at), {COMMON})::text, 'UTF8')), 'hex')
    FROM papers JOIN billing_creditnote n ON n.id = papers.note_id
    JOIN billing_invoice i ON i.id = n.invoice_id
    JOIN billing_presentation s ON s.id = papers.presentation_id"""


def before(body: str) -> str:
    """Return a guard's body as it was when it counted numbers without looking for documents."""
    for taken, of, documents in (
        (INVOICES, "invoices", "billing_invoice"),
        (CREDIT_NOTES, "credit_notes", "billing_creditnote"),
    ):
        _, rest = taken.split("\n        + ")
        body = body.replace(taken, f"{NUMBERED.format(of=of, documents=documents)}\n        + {rest}")
    return body


def reconstruct(apps: Any, schema_editor: Any) -> None:
    """Write a document for each invoice and credit note."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM billing_invoice)")
        if not cursor.fetchone()[0]:
            return
        content = content_today()
        digest = digest_of(content)
        cursor.execute(
            "INSERT INTO billing_presentation (content, digest) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [json.dumps(content), digest],
        )
        cursor.execute("SELECT id FROM billing_presentation WHERE digest = %s", [digest])
        values = {"presentation": cursor.fetchone()[0]}
        for statement in (OF_INVOICES, OF_NOTES):
            cursor.execute(statement, values)


class Migration(migrations.Migration):
    dependencies = [("billing", "0021_documents")]

    operations = [
        migrations.RunPython(reconstruct, migrations.RunPython.noop),
        replace(
            COUNTER_COUNTS_DOCUMENTS,
            was=changed(COUNTER_COUNTS_DOCUMENTS, body=before(COUNTER_COUNTS_DOCUMENTS.body)),
        ),
    ]
