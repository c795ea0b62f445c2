"""The guards of numbers: each comes after the one before, and a jump is recorded in its transaction (I9)."""

from core.guards import DeferredGuard, Guard, StatementGuard, append_only, kept

# How many numbers were left out, or taken by an invoice or credit note that has a document, between two states of the
# counter.
TAKEN = """(SELECT count(*) FROM {documents} i JOIN {papers} d ON d.{key} = i.id
            WHERE i.number > coalesce(OLD.{of}, 0) AND i.number <= NEW.{of})
        + (SELECT coalesce(sum(last - first + 1), 0) FROM billing_numbergap
            WHERE of = '{of}' AND first > coalesce(OLD.{of}, 0) AND last <= NEW.{of})"""
INVOICES = TAKEN.format(of="invoices", documents="billing_invoice", papers="billing_invoicedocument", key="invoice_id")
CREDIT_NOTES = TAKEN.format(
    of="credit_notes", documents="billing_creditnote", papers="billing_creditnotedocument", key="note_id"
)

COUNTER_ONLY_COUNTS_ON = Guard(
    "counter_only_counts_on",
    "billing_counter",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF NEW.invoices < OLD.invoices OR NEW.credit_notes < OLD.credit_notes OR NEW.id <> OLD.id THEN REFUSE; END IF;
    """,
    "Numbers are given once: the counter never goes back.",
)
COUNTER_COUNTS_DOCUMENTS = DeferredGuard(
    "counter_counts_documents",
    "billing_counter",
    "INSERT OR UPDATE",
    f"""
    IF NEW.invoices - coalesce(OLD.invoices, 0) <> {INVOICES} THEN REFUSE; END IF;
    IF NEW.credit_notes - coalesce(OLD.credit_notes, 0) <> {CREDIT_NOTES} THEN REFUSE; END IF;
    """,
    "The counter moves on by what is issued with its document. Numbers that are left out are recorded with it.",
)


def _numbers_are_counted(documents: str, of: str) -> StatementGuard:
    return StatementGuard(
        f"number_of_{documents.removeprefix('billing_')}_is_counted",
        documents,
        "INSERT",
        f"""
    IF (SELECT max(number) FROM written) > (SELECT {of} FROM billing_counter)
        OR EXISTS (SELECT FROM billing_numbergap g JOIN written w ON w.number BETWEEN g.first AND g.last
                   WHERE g.of = '{of}')
    THEN
        REFUSE;
    END IF;
    """,
        "A number comes from the counter, and is none that was left out.",
    )


GAP_IS_THE_OWNERS = Guard(
    "number_gap_is_the_owners",
    "billing_numbergap",
    "INSERT",
    """
    IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN REFUSE; END IF;
    """,
    "Only the owner of the tables leaves numbers out.",
)
GAP_IS_BEHIND_THE_COUNTER = DeferredGuard(
    "number_gap_is_behind_the_counter",
    "billing_numbergap",
    "INSERT",
    """
    IF NEW.last > (
            SELECT CASE NEW.of WHEN 'invoices' THEN invoices ELSE credit_notes END FROM billing_counter)
        OR NEW.of = 'invoices' AND EXISTS (
            SELECT FROM billing_invoice WHERE number BETWEEN NEW.first AND NEW.last)
        OR NEW.of = 'credit_notes' AND EXISTS (
            SELECT FROM billing_creditnote WHERE number BETWEEN NEW.first AND NEW.last)
    THEN
        REFUSE;
    END IF;
    """,
    "Numbers are left out when the counter passes them, and no document has them.",
)
GUARDS: list[Guard] = [
    COUNTER_ONLY_COUNTS_ON,
    COUNTER_COUNTS_DOCUMENTS,
    kept("billing_counter", "The counter of numbers is never emptied."),
    _numbers_are_counted("billing_invoice", "invoices"),
    _numbers_are_counted("billing_creditnote", "credit_notes"),
    *append_only("billing_numbergap", "A gap in the numbers"),
    GAP_IS_THE_OWNERS,
    GAP_IS_BEHIND_THE_COUNTER,
]
