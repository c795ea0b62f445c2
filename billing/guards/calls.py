"""The triggers that enforce the rules of call records, voids, and the records that imports set aside or reject."""

from core.guards import Function, Guard, StatementGuard, append_only, kept, read_committed
from core.migration_guards import local_day_of

FINAL = "The month is final: it ended so long ago that nothing of it changes any more."
LOCAL = "The day of a call is the local day on which it started, by the time zone rules of this product."

# The first day of the months that are not final (policy 11). A month has ended everywhere 12 hours after it did in UTC.
FIRST_OPEN_DAY = Function(
    "first_open_day",
    """
    SELECT (date_trunc('month', (clock_timestamp() AT TIME ZONE 'UTC') - interval '12 hours')
        - make_interval(months => coalesce((SELECT final_after FROM billing_callrules), 18)))::date
""",
    returns="date",
    language="sql",
    volatility="STABLE",
)

CALL_RECORD_IS_FINAL = Guard(
    "call_record_is_final",
    "billing_callrecord",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF (NEW.id, NEW.call_id, NEW.leg, NEW.number, NEW.caller, NEW.started_at, NEW.seconds, NEW.is_toll_free,
            NEW.received_in_id)
        IS DISTINCT FROM (OLD.id, OLD.call_id, OLD.leg, OLD.number, OLD.caller, OLD.started_at, OLD.seconds,
            OLD.is_toll_free, OLD.received_in_id)
    THEN REFUSE; END IF;
    IF NEW.is_voided <> OLD.is_voided THEN
        IF OLD.is_voided OR (NEW.account_id, NEW.day, NEW.matched_at)
                IS DISTINCT FROM (OLD.account_id, OLD.day, OLD.matched_at)
            OR NOT EXISTS (SELECT FROM billing_callvoid WHERE record_id = NEW.id)
        THEN REFUSE; END IF;
    ELSIF OLD.account_id IS NOT NULL OR NEW.account_id IS NULL OR OLD.is_voided THEN REFUSE;
    END IF;
    """,
    "A call record is never changed or deleted, only matched once, and voided once with a reason.",
)

# Imports and matches write thousands of rows. NOT IN uses a hash lookup, and accounts are looked up by key, as in
# `activation_day_is_local`.
CALL_DAY_IS_LOCAL = StatementGuard(
    "call_day_is_local",
    "billing_callrecord",
    "INSERT",
    f"""
    IF EXISTS (
        SELECT FROM written w
        CROSS JOIN LATERAL (SELECT timezone FROM accounts_account WHERE id = w.account_id OFFSET 0) a
        LEFT JOIN accounts_timezone z ON z.name = a.timezone
        WHERE w.day IS DISTINCT FROM {local_day_of("w.started_at", "z")}
    ) THEN
        REFUSE;
    END IF;
    """,
    LOCAL,
)
MATCHED_CALL_DAY_IS_LOCAL = StatementGuard(
    "matched_call_day_is_local",
    "billing_callrecord",
    "UPDATE",
    f"""
    IF EXISTS (
        SELECT FROM written w
        CROSS JOIN LATERAL (SELECT timezone FROM accounts_account WHERE id = w.account_id OFFSET 0) a
        LEFT JOIN accounts_timezone z ON z.name = a.timezone
        WHERE w.id NOT IN (SELECT id FROM before_rows WHERE account_id IS NOT NULL)
            AND w.day IS DISTINCT FROM {local_day_of("w.started_at", "z")}
    ) THEN
        REFUSE;
    END IF;
    """,
    LOCAL,
)

# A new record is not voided, so that it can only be voided with a reason, and it has talk time.
CALL_RECORD_COMES_STANDING = StatementGuard(
    "call_record_comes_standing",
    "billing_callrecord",
    "INSERT",
    "IF EXISTS (SELECT FROM written WHERE is_voided OR seconds = 0) THEN REFUSE; END IF;",
    "A new call record has talk time, and is not voided yet.",
)

CALL_RECORD_OF_A_FINAL_MONTH = StatementGuard(
    "call_record_of_a_final_month",
    "billing_callrecord",
    "INSERT",
    """
    IF NOT writing_history() AND EXISTS (
        SELECT FROM written WHERE coalesce(day, (started_at AT TIME ZONE 'UTC')::date) < (SELECT first_open_day()))
    THEN REFUSE; END IF;
    """,
    FINAL,
)
MATCH_OF_A_FINAL_MONTH = Guard(
    "match_of_a_final_month",
    "billing_callrecord",
    "UPDATE",
    """
    IF OLD.account_id IS NULL AND NEW.day < first_open_day() AND NOT writing_history() THEN REFUSE; END IF;
    """,
    FINAL,
)
VOID_OF_A_FINAL_MONTH = StatementGuard(
    "void_of_a_final_month",
    "billing_callvoid",
    "INSERT",
    """
    IF NOT writing_history() AND EXISTS (
        SELECT FROM written w JOIN billing_callrecord r ON r.id = w.record_id
        WHERE coalesce(r.day, (r.started_at AT TIME ZONE 'UTC')::date) < (SELECT first_open_day()))
    THEN REFUSE; END IF;
    """,
    FINAL,
)
ASSIGNMENT_OF_A_FINAL_MONTH = Guard(
    "assignment_of_a_final_month",
    "accounts_numberassignment",
    "INSERT OR UPDATE",
    """
    IF TG_OP = 'INSERT' THEN
        IF lower(NEW.period) < first_open_day()::timestamp AT TIME ZONE 'UTC' AND NOT writing_history() THEN REFUSE; END IF;
    ELSIF NEW.period IS DISTINCT FROM OLD.period AND upper(NEW.period) < first_open_day()::timestamp AT TIME ZONE 'UTC'
        AND NOT writing_history()
    THEN REFUSE;
    END IF;
    """,  # noqa: E501
    FINAL,
)
# A price affects a month only if the item was held then, so a new item may have prices from any day.
PRICE_OF_A_FINAL_MONTH = Guard(
    "price_of_a_final_month",
    "subscriptions_price",
    "INSERT OR UPDATE",
    """
    IF NEW.effective_from < first_open_day() AND NOT writing_history() AND EXISTS (
        SELECT FROM subscriptions_holding h WHERE h.item_id = NEW.item_id AND h.superseded_by_id IS NULL
            AND h.period && daterange(NEW.effective_from, greatest(NEW.effective_from, first_open_day())))
    THEN REFUSE; END IF;
    """,
    FINAL,
)

# Every void marks its record as voided and the billed month as late, so that the next invoice includes the difference.
VOID_MARKS_ITS_RECORD = StatementGuard(
    "void_marks_its_record",
    "billing_callvoid",
    "INSERT",
    """
    UPDATE billing_callrecord r SET is_voided = true FROM written w WHERE r.id = w.record_id AND NOT r.is_voided;
    INSERT INTO billing_latemonth (account_id, month)
        SELECT DISTINCT b.account_id, b.month FROM written w
        JOIN billing_callrecord r ON r.id = w.record_id
        JOIN billing_billedmonth b ON b.account_id = r.account_id AND b.month = date_trunc('month', r.day)::date
        WHERE r.is_toll_free
        ON CONFLICT DO NOTHING;
    """,
    "A void is marked at its record.",
)

SET_ASIDE_CALL_IS_DECIDED_ONCE = Guard(
    "set_aside_call_is_decided_once",
    "billing_setasidecall",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF OLD.state <> 'open' OR NEW.state = 'open'
        OR (NEW.id, NEW.call_id, NEW.leg, NEW.number, NEW.caller, NEW.started_at, NEW.seconds, NEW.received_in_id, NEW.line,
            NEW.reason)
        IS DISTINCT FROM (OLD.id, OLD.call_id, OLD.leg, OLD.number, OLD.caller, OLD.started_at, OLD.seconds,
            OLD.received_in_id, OLD.line, OLD.reason)
    THEN REFUSE; END IF;
    """,  # noqa: E501
    "A record set aside is decided once.",
)
REJECTED_ROW_IS_DECIDED_ONCE = Guard(
    "rejected_row_is_decided_once",
    "billing_rejectedcall",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF (NEW.id, NEW.received_in_id, NEW.line, NEW.code, NEW.reason, NEW.content, NEW.call_id, NEW.leg)
        IS DISTINCT FROM (OLD.id, OLD.received_in_id, OLD.line, OLD.code, OLD.reason, OLD.content, OLD.call_id, OLD.leg)
        OR (OLD.state <> 'open' AND (NEW.state, NEW.decided_by_id, NEW.decided_at, NEW.note, NEW.settled_in_id)
            IS DISTINCT FROM (OLD.state, OLD.decided_by_id, OLD.decided_at, OLD.note, OLD.settled_in_id))
    THEN REFUSE; END IF;
    """,
    "A rejected row is decided once, and never changed.",
)
CALL_RULES_ONLY_TIGHTEN = Guard(
    "call_rules_only_tighten",
    "billing_callrules",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF NEW.id <> OLD.id OR (NEW.final_after > OLD.final_after AND OLD.detached_before IS NOT NULL)
        OR NEW.detached_before < OLD.detached_before OR (NEW.detached_before IS NULL AND OLD.detached_before IS NOT NULL)
        OR (NEW.upgraded_at, NEW.last_import_before) IS DISTINCT FROM (OLD.upgraded_at, OLD.last_import_before)
    THEN REFUSE; END IF;
    """,  # noqa: E501
    "Once calls were detached, months stay final; when the upgrade was never changes.",
)

GUARDS: list[Guard] = [
    CALL_RECORD_IS_FINAL,
    CALL_DAY_IS_LOCAL,
    MATCHED_CALL_DAY_IS_LOCAL,
    *read_committed("billing_callrecord"),
    CALL_RECORD_COMES_STANDING,
    CALL_RECORD_OF_A_FINAL_MONTH,
    MATCH_OF_A_FINAL_MONTH,
    VOID_OF_A_FINAL_MONTH,
    ASSIGNMENT_OF_A_FINAL_MONTH,
    PRICE_OF_A_FINAL_MONTH,
    kept("billing_callrecord", "Call records are never emptied."),
    *append_only("billing_callvoid", "That a call record was voided"),
    VOID_MARKS_ITS_RECORD,
    SET_ASIDE_CALL_IS_DECIDED_ONCE,
    kept("billing_setasidecall", "Records set aside are never emptied."),
    REJECTED_ROW_IS_DECIDED_ONCE,
    kept("billing_rejectedcall", "A rejected row is never emptied."),
    CALL_RULES_ONLY_TIGHTEN,
    kept("billing_callrules", "The rules of calls are never emptied."),
]
