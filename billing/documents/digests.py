"""The digest of a document: the SHA-256 of everything that it shows. It is computed in the database, for many at once.

Dates are numbers of days since 2000, so that the text that is hashed depends on no setting of the connection. What a
document refers to goes in with its own text: the lines, the issuer, the billing profile, and the presentation's digest.
"""

from typing import Final


def _day(column: str) -> str:
    return f"{column} - date '2000-01-01'"


def _party(p: str) -> str:
    names = ("legal_name", "street", "street_2", "city", "region", "postal_code", "country", "tax_number")
    return ", ".join(f"{p}.{name}" for name in names)


# Issuers and presentations are few.
SHARED: Final = f"""
    issuers AS (
        SELECT u.id, ROW(u.id, {_party("u")}, u.contact_name, u.email, u.phone, u.terms_days,
            u.payment_instructions)::text AS text
        FROM billing_issuer u),
    presentations AS (SELECT s.id, s.digest FROM billing_presentation s)"""
JOINED: Final = """
    LEFT JOIN issuers ON issuers.id = papers.issuer_id
    LEFT JOIN presentations ON presentations.id = papers.presentation_id"""
PROFILE: Final = f"""(
    SELECT ROW(b.id, {_party("b")}, b.purchase_order, b.invoice_email, b.language)::text
    FROM billing_billingprofile b WHERE b.id = papers.profile_id)"""
COMMON: Final = f"""
    presentations.digest, issuers.text, {PROFILE}, papers.company, papers.account_number, papers.timezone,
    papers.language, {_day("papers.issued_on")}, papers.reconstructed"""
LINE: Final = f"""ROW(
    l.position, l.kind, l.sku, {_day("l.month")}, {_day("l.first")}, {_day("l.last")}, l.quantity, l.unit_price,
    l.amount, l.per_seat, l.minutes, l.included, l.package_minutes, l.invoiced)::text"""

HASHED: Final = "encode(sha256(convert_to({text}, 'UTF8')), 'hex')"
COLUMNS: Final = (
    "presentation_id", "issuer_id", "profile_id", "company", "account_number", "timezone", "language", "issued_on",
    "reconstructed",
)  # fmt: skip
INVOICE_COLUMNS: Final = ("invoice_id", *COLUMNS, "due_on")
NOTE_COLUMNS: Final = ("note_id", *COLUMNS)


def with_digests_of_invoices(papers: str) -> str:
    """Return a query for the INVOICE_COLUMNS that the query `papers` returns, and `digest`. Invoices must be stored."""
    text = f"""ROW('invoice', i.id, i.number, i.account_id, {_day("i.month")}, extract(epoch FROM i.issued_at),
        i.total, {COMMON}, {_day("papers.due_on")})::text || lines.text"""
    return f"""
        WITH papers AS MATERIALIZED ({papers}), {SHARED}, lines AS (
            SELECT l.invoice_id, string_agg({LINE}, '' ORDER BY l.position) AS text FROM billing_invoiceline l
            WHERE l.invoice_id BETWEEN (SELECT min(invoice_id) FROM papers) AND (SELECT max(invoice_id) FROM papers)
            GROUP BY l.invoice_id)
        SELECT {", ".join(f"papers.{column}" for column in INVOICE_COLUMNS)}, {HASHED.format(text=text)} AS digest
        FROM papers JOIN billing_invoice i ON i.id = papers.invoice_id
        LEFT JOIN lines ON lines.invoice_id = papers.invoice_id {JOINED}
    """


def with_digests_of_notes(papers: str) -> str:
    """Return a query for the NOTE_COLUMNS that the query `papers` returns, and `digest`. The notes must be stored."""
    text = f"""ROW('credit note', n.id, n.number, n.invoice_id, i.number, i.account_id, n.amount, n.reason,
        extract(epoch FROM n.at), {COMMON})::text"""
    return f"""
        WITH papers AS MATERIALIZED ({papers}), {SHARED}
        SELECT {", ".join(f"papers.{column}" for column in NOTE_COLUMNS)}, {HASHED.format(text=text)} AS digest
        FROM papers JOIN billing_creditnote n ON n.id = papers.note_id
        JOIN billing_invoice i ON i.id = n.invoice_id {JOINED}
    """
