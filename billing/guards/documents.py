"""The triggers that keep an issued document the same forever (I22).

That every invoice and credit note has one, the guard `counter_counts_documents` checks when their numbers are counted.
"""

from core.guards import Guard, StatementGuard, append_only, read_committed

RECONSTRUCTED = """
            OR d.reconstructed
            AND NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE'))"""


def _names_what_is_there(table: str, of: str) -> StatementGuard:
    """Return the guard that checks what new documents refer to; `of` joins the account that a document is for."""
    return StatementGuard(
        f"{table.removeprefix('billing_')}_names_what_is_there",
        table,
        "INSERT",
        f"""
    IF EXISTS (
        SELECT FROM written d {of}
        LEFT JOIN billing_presentation s ON s.id = d.presentation_id
        LEFT JOIN billing_issuer u ON u.id = d.issuer_id
        LEFT JOIN billing_billingprofile p ON p.id = d.profile_id
        WHERE i.id IS NULL OR s.id IS NULL OR d.issuer_id IS DISTINCT FROM u.id
            OR d.profile_id IS NOT NULL AND p.account_id IS DISTINCT FROM i.account_id{RECONSTRUCTED}
    THEN
        REFUSE;
    END IF;
    """,
        "A document names an invoice or credit note, and the issuer and billing profile of its account. Only the owner "
        "of the tables reconstructs one.",
    )


NAMES_WHAT_IS_THERE = [
    _names_what_is_there("billing_invoicedocument", "LEFT JOIN billing_invoice i ON i.id = d.invoice_id"),
    _names_what_is_there(
        "billing_creditnotedocument",
        "LEFT JOIN billing_creditnote n ON n.id = d.note_id LEFT JOIN billing_invoice i ON i.id = n.invoice_id",
    ),
]
GUARDS: list[Guard] = [
    *append_only("billing_presentation", "What documents show"),
    *append_only("billing_invoicedocument", "The document of an invoice"),
    *append_only("billing_creditnotedocument", "The document of a credit note"),
    *NAMES_WHAT_IS_THERE,
    *read_committed("billing_invoicedocument", "billing_creditnotedocument"),
]
