"""Helpers for tests of documents: the text of a PDF, and rows of documents written past the application."""

from io import BytesIO

from pypdf import PdfReader

# The document that belongs to an invoice, with a digest of nothing. `{invoice}` is the invoice's key.
INVOICE_DOCUMENT = """
    INSERT INTO billing_invoicedocument (invoice_id, presentation_id, issuer_id, company, account_number, timezone,
        language, issued_on, digest)
    SELECT i.id, (SELECT min(id) FROM billing_presentation), (SELECT min(id) FROM billing_issuer), a.company, a.number,
        a.timezone, 'en', current_date, ''
    FROM billing_invoice i JOIN accounts_account a ON a.id = i.account_id WHERE i.id = {invoice}"""

# The documents that credit notes still lack, with a digest of nothing.
NOTE_DOCUMENTS = """
    INSERT INTO billing_creditnotedocument (note_id, presentation_id, issuer_id, company, account_number, timezone,
        language, issued_on, digest)
    SELECT n.id, (SELECT min(id) FROM billing_presentation), (SELECT min(id) FROM billing_issuer), a.company, a.number,
        a.timezone, 'en', current_date, ''
    FROM billing_creditnote n JOIN billing_invoice i ON i.id = n.invoice_id
    JOIN accounts_account a ON a.id = i.account_id
    WHERE NOT EXISTS (SELECT FROM billing_creditnotedocument d WHERE d.note_id = n.id)"""


def written_in(pdf: bytes) -> str:
    """Return the text of all pages of a PDF, with single spaces."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())
