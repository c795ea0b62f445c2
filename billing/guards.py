"""The triggers that hold bills and call records in the database, whoever writes to them."""

from core.guards import Guard, append_only, read_committed

ISSUED = "An issued invoice is never changed or deleted; a mistake is corrected by an adjustment or a credit note."

FINAL = "The month is final: it ended so long ago that nothing of it changes any more."

GUARDS = [
    Guard(
        "account_timezone_is_fixed",
        "accounts_account",
        "The time zone is fixed once an invoice was issued, and never one in which a billed month has not ended.",
    ),
    Guard("billing_invoice_is_final", "billing_invoice", ISSUED),
    Guard("billing_invoice_is_kept", "billing_invoice", ISSUED),
    Guard("invoice_is_the_sum_of_its_lines", "billing_invoice", "An invoice's total is the sum of its lines."),
    Guard(
        "nothing_is_charged_before_activation",
        "billing_invoice",
        "Products are charged from the day of activation, never for a day before it.",
    ),
    Guard("billing_invoiceline_is_final", "billing_invoiceline", ISSUED),
    Guard("billing_invoiceline_is_kept", "billing_invoiceline", ISSUED),
    Guard("issued_invoice_takes_no_line", "billing_invoiceline", "No line is added to an invoice that was issued."),
    Guard("credit_is_within_the_invoice", "billing_creditnote", "Credit notes give back no more than was invoiced."),
    Guard(
        "call_record_is_final",
        "billing_callrecord",
        "A call record is never changed or deleted, only matched once, and voided once with a reason.",
    ),
    Guard(
        "call_day_is_local",
        "billing_callrecord",
        "The day of a call is the local day on which it started, by the time zone rules of this product.",
    ),
    Guard(
        "matched_call_day_is_local",
        "billing_callrecord",
        "The day of a call is the local day on which it started, by the time zone rules of this product.",
    ),
    *read_committed("billing_callrecord", "billing_billedmonth", "billing_latemonth"),
    *read_committed("billing_invoice", "billing_creditnote", "billing_heldbill"),
    Guard(
        "call_record_comes_standing", "billing_callrecord", "A new call record has talk time, and is not voided yet."
    ),
    Guard("call_record_of_a_final_month", "billing_callrecord", FINAL),
    Guard("match_of_a_final_month", "billing_callrecord", FINAL),
    Guard("void_of_a_final_month", "billing_callvoid", FINAL),
    Guard("assignment_of_a_final_month", "accounts_numberassignment", FINAL),
    Guard("price_of_a_final_month", "subscriptions_price", FINAL),
    Guard("billing_callrecord_is_kept", "billing_callrecord", "Call records are never emptied."),
    Guard("counter_only_counts_on", "billing_counter", "Numbers are given once: the counter never goes back."),
    Guard("billing_counter_is_kept", "billing_counter", "The counter of numbers is never emptied."),
    Guard("held_bill_is_decided_once", "billing_heldbill", "A held bill is decided once, and never deleted."),
    Guard("billing_heldbill_is_kept", "billing_heldbill", "Held bills are never emptied."),
    Guard(
        "late_month_is_settled_once",
        "billing_latemonth",
        "A late month is settled once, by the bill of a later month, and never deleted.",
    ),
    Guard("billing_latemonth_is_kept", "billing_latemonth", "Late months are never emptied."),
    *append_only("billing_billedmonth", "That a month was billed"),
    *append_only("billing_creditnote", "A credit note"),
    *append_only("billing_callvoid", "That a call record was voided"),
    Guard("void_marks_its_record", "billing_callvoid", "A void is marked at its record."),
    Guard("set_aside_call_is_decided_once", "billing_setasidecall", "A record set aside is decided once."),
    Guard("billing_setasidecall_is_kept", "billing_setasidecall", "Records set aside are never emptied."),
    Guard("rejected_row_is_decided_once", "billing_rejectedcall", "A rejected row is decided once, and never changed."),
    Guard("billing_rejectedcall_is_kept", "billing_rejectedcall", "A rejected row is never emptied."),
    Guard(
        "call_rules_only_tighten",
        "billing_callrules",
        "Once calls were detached, months stay final; when the upgrade was never changes.",
    ),
    Guard("billing_callrules_is_kept", "billing_callrules", "The rules of calls are never emptied."),
    *append_only("billing_failedbill", "A failed bill"),
]
