"""Examples of issued documents, none of them stored, with the presentation kept for a version of the templates.

What is printed of them is kept too, so that a change of the code that would change an issued document fails a test.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from billing.documents.files import paper_of, xml_of
from billing.models import CreditNote, CreditNoteDocument, Invoice, InvoiceDocument, InvoiceLine, Presentation
from billing.pricing.charges import ADJUSTMENT, RECURRING, USAGE, Line
from tests.billing.documents.papers import KEPT
from tests.billing.documents.parties import issuer, profile

ISSUED = date(2026, 4, 2)
MARCH = date(2026, 3, 1)


def line(kind: str, sku: str, amount: str, quantity: int, price: str, **other: Any) -> Line:
    """Return a line of March 2026."""
    values = {"month": MARCH, "first": MARCH, "last": date(2026, 3, 31), **other}
    return Line(kind, sku, quantity=quantity, unit_price=Decimal(price), amount=Decimal(amount), **values)


LINES = [
    line(RECURRING, "cc-pro", "903.23", 25, "70.0000", first=date(2026, 3, 16), per_seat=True),
    line(RECURRING, "storage-100", "40.00", 1, "40.0000"),
    line(USAGE, "tf-500", "13.99", 333, "0.0420", minutes=600, included=267, package_minutes=500),
    line(USAGE, "tf-payperuse", "4.50", 100, "0.0450", minutes=100, included=0, package_minutes=0),
    line(
        ADJUSTMENT,
        "tf-500",
        "-3.36",
        20,
        "0.0420",
        month=date(2026, 2, 1),
        first=date(2026, 2, 1),
        last=date(2026, 2, 28),
        minutes=520,
        included=500,
        package_minutes=500,
        invoiced=Decimal("4.20"),
    ),
]


def presentation(version: int) -> Presentation:
    """Return the presentation that is kept for a version of the templates."""
    return Presentation(content=json.loads((KEPT / f"{version}.presentation.json").read_text()))


def document(kind: Any, shown_with: Presentation, *, language: str = "en", **other: Any) -> Any:
    """Return a document; `issuer` and `profile` replace the usual parties."""
    parties = {"issuer": issuer(tax_number="12-3456789"), "profile": profile(), **other}
    return kind(
        presentation=shown_with,
        company="Acme Support",
        account_number="100001",
        timezone="America/New_York",
        language=language,
        issued_on=ISSUED,
        **parties,
    )


def invoice(lines: list[Line], shown_with: Presentation, month: date = MARCH, **other: Any) -> Invoice:
    """Return an invoice with its document."""
    made = Invoice(pk=1, number=123, month=month, total=sum(line.amount for line in lines))
    made.document = document(InvoiceDocument, shown_with, due_on=ISSUED + timedelta(days=30), **other)
    rows = [InvoiceLine(**line._asdict()) for line in lines]
    made._prefetched_objects_cache = {"lines": rows}  # type: ignore[attr-defined]
    return made


def credit_note(amount: str, shown_with: Presentation, reason: str = "Line was down", **other: Any) -> CreditNote:
    """Return a credit note with its document."""
    made = CreditNote(number=7, invoice=Invoice(number=123, month=MARCH), amount=Decimal(amount), reason=reason)
    made.document = document(CreditNoteDocument, shown_with, **other)
    return made


def printed(version: int) -> Iterator[Any]:
    """Yield texts and XML of an invoice, a credit, an invoice of nothing and a credit note, in each language."""
    shown_with = presentation(version)
    back = LINES[-1]
    of_nothing = [back, line(RECURRING, "storage-100", "3.36", 1, "3.3600")]
    for language in ("en", "es"):
        for lines in (LINES, [back], of_nothing):
            yield from _printed(invoice(lines, shown_with, language=language))
        yield from _printed(invoice(LINES, shown_with, language=language, profile=None, issuer=None))
        yield from _printed(credit_note("5.00", shown_with, language=language))


def _printed(issued: Invoice | CreditNote) -> Iterator[Any]:
    yield json.loads(json.dumps(paper_of(issued).as_json()))
    yield (xml_of(issued) or b"").decode().replace("><", ">\n<").splitlines()
