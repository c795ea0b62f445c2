"""The journal: balanced entries for the invoices and credit notes of a month, for accounting (R41).

A document is booked on its day of issue, in its account's time zone. Payments are booked elsewhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from billing.models import CreditNote, Invoice
from billing.pricing.charges import month_after
from subscriptions.models import ItemKind

# What is booked besides kinds of items; those without an account of their own are `revenue`.
NAMES: Final = ("receivable", "revenue", "usage", "credit_notes")
ZERO: Final = Decimal("0.00")
FETCHED: Final = 2_000  # rows at once

# One row for each document and what is booked on one account of it, beside the receivable.
BOOKED: Final = """
    SELECT 'invoice', i.number, d.issued_on, d.account_number, coalesce(p.legal_name, d.company), i.total,
        CASE WHEN l.kind = 'recurring' THEN coalesce(item.kind, 'product') ELSE 'usage' END AS booked, sum(l.amount)
    FROM billing_invoicedocument d
    JOIN billing_invoice i ON i.id = d.invoice_id
    JOIN billing_invoiceline l ON l.invoice_id = i.id
    LEFT JOIN subscriptions_item item ON item.sku = l.sku
    LEFT JOIN billing_billingprofile p ON p.id = d.profile_id
    WHERE d.issued_on >= %(first)s AND d.issued_on < %(end)s AND i.number <= %(invoices)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    UNION ALL
    SELECT 'note', n.number, d.issued_on, d.account_number, coalesce(p.legal_name, d.company), -n.amount,
        'credit_notes', -n.amount
    FROM billing_creditnotedocument d
    JOIN billing_creditnote n ON n.id = d.note_id
    LEFT JOIN billing_billingprofile p ON p.id = d.profile_id
    WHERE d.issued_on >= %(first)s AND d.issued_on < %(end)s AND n.number <= %(notes)s
    ORDER BY 1, 2, 7"""
# What all entries on the receivable must add up to, from the documents alone, and the last numbers. Numbers are
# committed in order, so a later statement that goes up to these sees the same documents.
OWED: Final = """
    SELECT coalesce((SELECT sum(i.total) FROM billing_invoicedocument d JOIN billing_invoice i ON i.id = d.invoice_id
            WHERE d.issued_on >= %(first)s AND d.issued_on < %(end)s), 0)
        - coalesce((SELECT sum(n.amount) FROM billing_creditnotedocument d JOIN billing_creditnote n ON n.id = d.note_id
            WHERE d.issued_on >= %(first)s AND d.issued_on < %(end)s), 0),
        (SELECT coalesce(max(number), 0) FROM billing_invoice),
        (SELECT coalesce(max(number), 0) FROM billing_creditnote)"""
COLUMNS: Final = ("entry", "date", "document", "account", "company", "code", "debit", "credit", "currency", "text")


def unknown_names() -> list[str]:
    """Return the names in JOURNAL_ACCOUNTS that are neither what the journal books nor a kind of items."""
    return sorted(settings.JOURNAL_ACCOUNTS.keys() - {*NAMES, *ItemKind.values})


class NotBalanced(Exception):
    """The entries don't add up to what was invoiced and credited. The message has the figures."""


@dataclass(frozen=True)
class Entry:
    """An amount in USD on one side of an account. `name` is what is booked; `entry` is the same in every export."""

    day: date
    document: str
    account: str
    company: str
    name: str
    debit: Decimal
    credit: Decimal

    @property
    def entry(self) -> str:
        return f"{self.document}-{self.name}"

    def cells(self, codes: Mapping[str, str]) -> tuple[object, ...]:
        """Return the entry as cells in the order of COLUMNS."""
        text = f"{self.document}, {self.name.replace('_', ' ')}"
        sides = (f"{self.debit:.2f}", f"{self.credit:.2f}")
        code = codes.get(self.name, codes["revenue"])
        return self.entry, self.day.isoformat(), self.document, self.account, self.company, code, *sides, "USD", text


def entries_of(month: date) -> Iterator[Entry]:
    """Yield the entries of the documents that were issued in a month, those of a document together.

    Two queries, whose rows are fetched a few at a time. Raises NotBalanced if debits and credits of a document differ,
    or at the end if the receivable isn't the total of the invoices less that of the credit notes.
    """
    values: dict[str, Any] = {"first": month, "end": month_after(month)}
    with connection.cursor() as cursor:
        cursor.execute(OWED, values)
        owed, values["invoices"], values["notes"] = cursor.fetchone()
    receivable = ZERO
    with transaction.atomic():
        for entry in _entries(values):
            if entry.name == "receivable":
                receivable += entry.debit - entry.credit
            yield entry
    if receivable != owed:
        raise NotBalanced(f"The receivable is {receivable:,.2f}, but invoices less credit notes are {owed:,.2f}.")


def _entries(values: Mapping[str, Any]) -> Iterator[Entry]:
    for (kind, number, day, account, company, total), rows in groupby(_rows(values), key=itemgetter(*range(6))):
        document = (Invoice(number=number) if kind == "invoice" else CreditNote(number=number)).title
        booked = [("receivable", total), *((name, -amount) for *_, name, amount in rows)]
        if difference := sum(amount for _, amount in booked):
            raise NotBalanced(f"Debits and credits of {document} differ by {abs(difference):,.2f}.")
        for name, amount in booked:
            if amount:
                debit, credit = (amount, ZERO) if amount > 0 else (ZERO, -amount)
                yield Entry(day, document, account, company, name, debit, credit)


def _rows(values: Mapping[str, Any]) -> Iterator[Any]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(BOOKED, values)
        while rows := cursor.fetchmany(FETCHED):
            yield from rows
