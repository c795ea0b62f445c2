"""The triggers that keep the record of to whom documents were sent (R39)."""

from core.guards import Guard, StatementGuard, append_only

DELIVERY_NAMES_WHAT_IS_THERE = StatementGuard(
    "delivery_names_what_is_there",
    "billing_delivery",
    "INSERT",
    """
    IF EXISTS (
        SELECT FROM written d
        LEFT JOIN core_outgoingemail e ON e.id = d.email_id AND e.kind = 'document'
        LEFT JOIN billing_invoicedocument i ON i.invoice_id = d.invoice_id
        LEFT JOIN billing_creditnotedocument n ON n.note_id = d.note_id
        LEFT JOIN accounts_user u ON u.id = d.to_id
        LEFT JOIN accounts_user b ON b.id = d.again_by_id
        WHERE e.id IS NULL OR d.invoice_id IS DISTINCT FROM i.invoice_id OR d.note_id IS DISTINCT FROM n.note_id
            OR d.to_id IS DISTINCT FROM u.id OR d.again_by_id IS DISTINCT FROM b.id)
    THEN
        REFUSE;
    END IF;
    """,
    "An email with a document names a document and a person that there are.",
)
GUARDS: list[Guard] = [*append_only("billing_delivery", "To whom a document was sent"), DELIVERY_NAMES_WHAT_IS_THERE]
