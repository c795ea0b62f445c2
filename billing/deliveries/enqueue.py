"""Queues the emails with documents, in the transaction that issues them (R39)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import connection

from accounts.models import Role, User
from billing.models import CreditNote, Invoice
from core.outbox.queue import NEXT_KEY, insert_emails

EMAIL_KIND: Final = "document"
WHO: Final = (Role.OWNER, Role.BILLING)  # the roles whose people get documents

FROZEN: Final = "d.profile_id"  # the billing profile that a document names
CURRENT: Final = """(
        SELECT id FROM billing_billingprofile WHERE account_id = i.account_id ORDER BY version DESC LIMIT 1)"""


def _of_invoices(profile: str) -> str:
    return f"""
    SELECT i.id AS invoice_id, NULL::bigint AS note_id, i.account_id, {profile} AS profile_id
    FROM billing_invoice i JOIN billing_invoicedocument d ON d.invoice_id = i.id
    WHERE i.number BETWEEN %(first)s AND %(last)s"""


def _of_note(profile: str) -> str:
    return f"""
    SELECT NULL::bigint AS invoice_id, n.id AS note_id, i.account_id, {profile} AS profile_id
    FROM billing_creditnote n JOIN billing_creditnotedocument d ON d.note_id = n.id
    JOIN billing_invoice i ON i.id = n.invoice_id WHERE n.id = %(note)s"""


def enqueue_sql(documents: str) -> str:
    """Return the statement that queues an email for each recipient of the documents that a query returns.

    These are active owners and billing managers, each once, and the invoice email of the billing profile in
    `profile_id`, if it is none of their addresses.
    """
    return f"""
    WITH documents AS MATERIALIZED ({documents}), people AS (
        SELECT DISTINCT d.invoice_id, d.note_id, d.account_id, u.id AS to_id, u.email AS address
        FROM documents d JOIN accounts_contact c ON c.account_id = d.account_id AND c.role = ANY(%(roles)s)
        JOIN accounts_user u ON u.id = c.user_id AND u.is_active
    ), others AS (
        SELECT d.invoice_id, d.note_id, d.account_id, NULL::bigint AS to_id, p.invoice_email AS address
        FROM documents d JOIN billing_billingprofile p ON p.id = d.profile_id
        WHERE p.invoice_email <> '' AND NOT EXISTS (
            SELECT FROM people WHERE people.account_id = d.account_id AND people.address = p.invoice_email)
    ), keyed AS MATERIALIZED (
        SELECT {NEXT_KEY} AS email_id, recipients.* FROM (
            SELECT * FROM people UNION ALL SELECT * FROM others ORDER BY account_id, to_id NULLS LAST) recipients
    ), written AS (
        INSERT INTO billing_delivery (email_id, invoice_id, note_id, to_id, again_by_id)
        SELECT email_id, invoice_id, note_id, to_id, %(again_by)s FROM keyed ORDER BY email_id
    )
    {insert_emails("keyed", can_wait=True)}"""


ENQUEUE_INVOICES: Final = enqueue_sql(_of_invoices(FROZEN))
ENQUEUE_NOTE: Final = enqueue_sql(_of_note(FROZEN))
# Sent again, a document goes to those who would get it now.
ENQUEUE_INVOICE_AGAIN: Final = enqueue_sql(_of_invoices(CURRENT))
ENQUEUE_NOTE_AGAIN: Final = enqueue_sql(_of_note(CURRENT))


def enqueue_invoices(numbers: range, *, now: datetime) -> int:
    """Queue the emails of the invoices with these numbers, whose documents are stored. Returns how many; one query."""
    return _enqueue(ENQUEUE_INVOICES, {"first": numbers[0], "last": numbers[-1]}, now, None)


def enqueue_credit_note(note: CreditNote, *, now: datetime) -> int:
    """Queue the emails of a credit note, whose document is stored. Returns how many; one query."""
    return _enqueue(ENQUEUE_NOTE, {"note": note.pk}, now, None)


def enqueue_again(document: Invoice | CreditNote, *, by: User, now: datetime) -> int:
    """Queue the emails of an issued document again, to those who would get it now. Returns how many; one query."""
    if isinstance(document, Invoice):
        return _enqueue(ENQUEUE_INVOICE_AGAIN, {"first": document.number, "last": document.number}, now, by)
    return _enqueue(ENQUEUE_NOTE_AGAIN, {"note": document.pk}, now, by)


def _enqueue(statement: str, which: Mapping[str, int], now: datetime, by: User | None) -> int:
    with connection.cursor() as cursor:
        values = {
            "roles": [str(role) for role in WHO],
            "again_by": by.pk if by else None,
            "email_kind": EMAIL_KIND,
            "email_data": "{}",
            "email_at": now,
        }
        cursor.execute(statement, {**values, **which})
        queued: int = cursor.rowcount
        return queued
