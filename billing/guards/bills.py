"""The triggers that enforce the rules of invoices, credit notes and the other results of bill runs."""

from core.guards import Guard, StatementGuard, append_only, kept, read_committed
from core.guards.forms import final_and_kept

ISSUED = "An issued invoice is never changed or deleted; a mistake is corrected by an adjustment or a credit note."

# There are no statistics about lines that were just written, so the planner expects one row and loops over all invoices
# of the statement for each line: a chunk of 5,000 took over a second. With a hash join it takes 30 milliseconds.
BY_HASH = ("enable_nestloop = off",)

# A time zone can be corrected until an invoice is issued. There is no race, because issuing an invoice and an UPDATE
# both hold the account's lock. In addition, the account's current day may not move back into a month that was billed,
# even without an invoice, since anything bought or started then would never be charged.
TIMEZONE_IS_FIXED = Guard(
    "account_timezone_is_fixed",
    "accounts_account",
    "UPDATE",
    """
    IF NEW.timezone <> OLD.timezone AND (EXISTS (SELECT FROM billing_invoice WHERE account_id = OLD.id)
        OR EXISTS (SELECT FROM billing_billedmonth WHERE account_id = OLD.id
            AND month >= date_trunc('month', local_day(NEW.timezone, clock_timestamp()))))
    THEN REFUSE; END IF;
    """,
    "The time zone is fixed once an invoice was issued, and never one in which a billed month has not ended.",
)

# The lines are written before their invoice.
INVOICE_IS_THE_SUM_OF_ITS_LINES = StatementGuard(
    "invoice_is_the_sum_of_its_lines",
    "billing_invoice",
    "INSERT",
    """
    IF EXISTS (
        SELECT FROM written w LEFT JOIN (
            SELECT l.invoice_id, sum(l.amount) AS total, count(*) AS line_count FROM billing_invoiceline l
            WHERE l.invoice_id BETWEEN (SELECT min(id) FROM written) AND (SELECT max(id) FROM written)
            GROUP BY l.invoice_id) s ON s.invoice_id = w.id
        WHERE (w.total, w.line_count::bigint) IS DISTINCT FROM (s.total, s.line_count)
    ) THEN
        REFUSE;
    END IF;
    """,
    "An invoice's total is the sum of its lines.",
    settings=BY_HASH,
)
# The activation is final, so an invoice that is correct when it is issued stays correct. A product is one whatever its
# line says; only toll-free minutes are charged for days of onboarding.
NOTHING_IS_CHARGED_BEFORE_ACTIVATION = StatementGuard(
    "nothing_is_charged_before_activation",
    "billing_invoice",
    "INSERT",
    """
    IF EXISTS (
        SELECT FROM (
            SELECT l.invoice_id AS id, min(l.first) AS first FROM billing_invoiceline l
            WHERE l.invoice_id BETWEEN (SELECT min(id) FROM written) AND (SELECT max(id) FROM written)
                AND (l.kind = 'recurring' OR l.sku NOT IN (SELECT sku FROM subscriptions_item WHERE kind = 'package'))
            GROUP BY l.invoice_id) charged
        JOIN written w ON w.id = charged.id
        LEFT JOIN (
            SELECT o.account_id, o.activated_on AS day FROM onboarding_onboarding o
            WHERE o.account_id BETWEEN (SELECT min(account_id) FROM written) AND (SELECT max(account_id) FROM written)
            ) activated ON activated.account_id = w.account_id
        WHERE activated.day IS NULL OR charged.first < activated.day
    ) THEN
        REFUSE;
    END IF;
    """,
    "Products are charged from the day of activation, never for a day before it.",
    settings=BY_HASH,
)
ISSUED_INVOICE_TAKES_NO_LINE = StatementGuard(
    "issued_invoice_takes_no_line",
    "billing_invoiceline",
    "INSERT",
    """
    IF EXISTS (
        SELECT FROM billing_invoice i
        WHERE i.id BETWEEN (SELECT min(invoice_id) FROM written) AND (SELECT max(invoice_id) FROM written)
            AND i.id IN (SELECT invoice_id FROM written)
    ) THEN
        REFUSE;
    END IF;
    """,
    "No line is added to an invoice that was issued.",
    settings=BY_HASH,
)

CREDIT_IS_WITHIN_THE_INVOICE = Guard(
    "credit_is_within_the_invoice",
    "billing_creditnote",
    "INSERT",
    """
    PERFORM FROM billing_invoice WHERE id = NEW.invoice_id FOR NO KEY UPDATE;
    IF NEW.amount + (SELECT coalesce(sum(amount), 0) FROM billing_creditnote WHERE invoice_id = NEW.invoice_id)
        > (SELECT total FROM billing_invoice WHERE id = NEW.invoice_id) THEN REFUSE; END IF;
    """,
    "Credit notes give back no more than was invoiced.",
)

HELD_BILL_IS_DECIDED_ONCE = Guard(
    "held_bill_is_decided_once",
    "billing_heldbill",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF OLD.state <> 'held' OR NEW.state = 'held' OR NEW.decided_by_id IS NULL OR NEW.decided_at IS NULL
        OR (NEW.id, NEW.account_id, NEW.month, NEW.total, NEW.why, NEW.held_at)
            IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.month, OLD.total, OLD.why, OLD.held_at) THEN REFUSE; END IF;
    """,
    "A held bill is decided once, and never deleted.",
)

LATE_MONTH_IS_SETTLED_ONCE = Guard(
    "late_month_is_settled_once",
    "billing_latemonth",
    "INSERT OR UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.settled_at IS NOT NULL THEN REFUSE; END IF;
        RETURN NEW;
    END IF;
    IF OLD.settled_at IS NOT NULL OR NEW.settled_at IS NULL
        OR (NEW.id, NEW.account_id, NEW.month) IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.month)
        -- The bill of a later month settles it, in its own transaction; without one, its difference would never be invoiced.
        OR NOT EXISTS (SELECT FROM billing_billedmonth
            WHERE account_id = OLD.account_id AND month > OLD.month AND billed_at = NEW.settled_at) THEN REFUSE; END IF;
    """,  # noqa: E501
    "A late month is settled once, by the bill of a later month, and never deleted.",
)

GUARDS: list[Guard] = [
    TIMEZONE_IS_FIXED,
    *final_and_kept("billing_invoice", ISSUED, ISSUED),
    INVOICE_IS_THE_SUM_OF_ITS_LINES,
    NOTHING_IS_CHARGED_BEFORE_ACTIVATION,
    *final_and_kept("billing_invoiceline", ISSUED, ISSUED),
    ISSUED_INVOICE_TAKES_NO_LINE,
    CREDIT_IS_WITHIN_THE_INVOICE,
    HELD_BILL_IS_DECIDED_ONCE,
    kept("billing_heldbill", "Held bills are never emptied."),
    LATE_MONTH_IS_SETTLED_ONCE,
    kept("billing_latemonth", "Late months are never emptied."),
    *append_only("billing_billedmonth", "That a month was billed"),
    *append_only("billing_creditnote", "A credit note"),
    *append_only("billing_failedbill", "A failed bill"),
    *read_committed(
        "billing_billedmonth", "billing_latemonth", "billing_invoice", "billing_creditnote", "billing_heldbill"
    ),
]
