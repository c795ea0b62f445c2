"""Existing invoices and credit notes get documents that say what is true today, and from now on each needs one (I22).

Nobody had entered an issuer or a billing profile before, so these documents name the brand and the company.
"""

import json
from dataclasses import replace as changed
from typing import Any

from django.db import connection, migrations

from billing.documents.digests import (
    INVOICE_COLUMNS,
    NOTE_COLUMNS,
    with_digests_of_invoices,
    with_digests_of_notes,
)
from billing.documents.presentation import content_today, digest_of
from billing.guards.numbers import COUNTER_COUNTS_DOCUMENTS, CREDIT_NOTES, INVOICES
from core.guards.operations import replace

NUMBERED = "(SELECT count(*) FROM {documents} WHERE number > coalesce(OLD.{of}, 0) AND number <= NEW.{of})"
DAY = "coalesce(local_day(a.timezone, {at}), ({at} AT TIME ZONE 'UTC')::date)"
TODAY = """%(presentation)s::bigint AS presentation_id, NULL::bigint AS issuer_id, NULL::bigint AS profile_id, a.company,
    a.number AS account_number, a.timezone, 'en' AS language, {day} AS issued_on, true AS reconstructed"""
OF_INVOICES = f"""
    SELECT i.id AS invoice_id, {TODAY.format(day=DAY.format(at="i.issued_at"))}, NULL::date AS due_on
    FROM billing_invoice i JOIN accounts_account a ON a.id = i.account_id"""
OF_NOTES = f"""
    SELECT n.id AS note_id, {TODAY.format(day=DAY.format(at="n.at"))}
    FROM billing_creditnote n JOIN billing_invoice i ON i.id = n.invoice_id
    JOIN accounts_account a ON a.id = i.account_id"""


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
        cursor.execute(
            "INSERT INTO billing_presentation (content, digest) VALUES (%s, %s) RETURNING id",
            [json.dumps(content), digest_of(content)],
        )
        values = {"presentation": cursor.fetchone()[0]}
        for table, columns, query in (
            ("billing_invoicedocument", INVOICE_COLUMNS, with_digests_of_invoices(OF_INVOICES)),
            ("billing_creditnotedocument", NOTE_COLUMNS, with_digests_of_notes(OF_NOTES)),
        ):
            cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}, digest) {query}", values)  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [("billing", "0021_documents")]

    operations = [
        migrations.RunPython(reconstruct, migrations.RunPython.noop),
        replace(
            COUNTER_COUNTS_DOCUMENTS,
            was=changed(COUNTER_COUNTS_DOCUMENTS, body=before(COUNTER_COUNTS_DOCUMENTS.body)),
        ),
    ]
