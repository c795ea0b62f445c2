"""The fate of each row that is not added, in SQL (R36): repeated, voided, set aside, or rejected for a reason."""

from collections.abc import Callable

from billing.calls.identity import in_effect, of_one_call, same_content, same_identity
from billing.calls.sql import rows, run

REASONS = {
    "unknown_number": "No account has this number.",
    "in_future": "The call starts in the future.",
    "too_long_call": "The call is longer than the longest that is taken (CALL_LONGEST_HOURS).",
    "not_ended": "The call has not ended yet. Import it again when it has.",
    "before_account": "The call is from before the account existed.",
    "final_month": "The call is of a final month: it ended so long ago that nothing of it changes any more.",
    "before_upgrade": "A record of this call is stored from before the upgrade, and its month was invoiced then.",
}
SET_ASIDE = ("stored", "in_file")

# Counts the rows that need a closer look. If there are none, and no stored call id is in the range of the part's ids,
# all rows are new. In most files ids grow, so that one look at the index replaces one for each row.
OVERVIEW = """
    SELECT count(*) FILTER (WHERE seconds = 0),
        count(*) FILTER (WHERE seconds > 0),
        count(*) FILTER (WHERE seconds > 0 AND (number_id IS NULL OR started_at < since
            OR started_at > %(now)s + coalesce(%(tolerance)s, interval '0')
            OR seconds > %(longest)s::integer
            OR started_at + seconds * interval '1 second' > %(now)s + %(tolerance)s::interval
            OR started_at < %(open)s::date + interval '2 days')),
        min(call_id) FILTER (WHERE seconds > 0), max(call_id) FILTER (WHERE seconds > 0),
        min(line), max(line)
    FROM part_call
"""
KNOWN = """
    SELECT EXISTS (SELECT FROM billing_callrecord
            WHERE NOT is_voided AND seconds > 0 AND call_id BETWEEN %(lo)s AND %(hi)s)
        OR EXISTS (SELECT FROM billing_callrecord
            WHERE is_voided AND (is_voided OR seconds = 0) AND call_id BETWEEN %(lo)s AND %(hi)s)
        OR EXISTS (SELECT FROM billing_setasidecall WHERE call_id BETWEEN %(lo)s AND %(hi)s)
        OR EXISTS (SELECT FROM billing_rejectedcall
            WHERE state = 'dismissed' AND call_id BETWEEN %(lo)s AND %(hi)s)
        OR EXISTS (SELECT FROM file_verdict WHERE line BETWEEN %(first)s AND %(last)s)
"""
CODE = f"""
    CASE WHEN s.number_id IS NULL THEN 'unknown_number'
        WHEN s.started_at > %(now)s + coalesce(%(tolerance)s, interval '0') THEN 'in_future'
        WHEN s.seconds > %(longest)s::integer THEN 'too_long_call'
        WHEN s.started_at + s.seconds * interval '1 second' > %(now)s + %(tolerance)s::interval THEN 'not_ended'
        WHEN s.started_at < s.since THEN 'before_account'
        WHEN coalesce(s.day, (s.started_at AT TIME ZONE 'UTC')::date) < %(open)s::date THEN 'final_month'
        WHEN rules.last_import_before IS NOT NULL AND EXISTS (
                SELECT FROM billing_billedmonth b WHERE b.account_id = s.account_id
                    AND b.month = date_trunc('month', s.day)::date AND b.billed_at < rules.upgraded_at)
            AND EXISTS (
                SELECT FROM billing_callrecord r WHERE {in_effect("r")} AND r.call_id = s.call_id
                    AND r.received_in_id <= rules.last_import_before)
            THEN 'before_upgrade' END
"""  # noqa: S608 - our own text
LOOK = f"""
    INSERT INTO fated_call
    SELECT line, fate FROM (
        SELECT s.line, CASE
            WHEN stored.same THEN 'repeated'
            WHEN NOT %(take_voided)s AND void.same THEN 'voided'
            WHEN NOT %(take_voided)s AND aside.dismissed THEN 'repeated'
            WHEN v.verdict = 'in_file' OR (stored.differs AND v.verdict IS NULL) THEN
                CASE WHEN aside.open THEN 'repeated' WHEN stored.differs THEN 'stored' ELSE 'in_file' END
            ELSE coalesce({CODE}, v.verdict) END AS fate
        FROM part_call s
        CROSS JOIN (SELECT max(last_import_before) AS last_import_before, max(upgraded_at) AS upgraded_at
            FROM billing_callrules) rules
        LEFT JOIN file_verdict v ON v.line = s.line
        CROSS JOIN LATERAL (
            SELECT bool_or({same_content("s", "r")}) AS same, bool_or(NOT {same_content("s", "r")}) AS differs
            FROM ({of_one_call("billing_callrecord", "s", "r", in_effect("r"))}) r
            WHERE {same_identity("s", "r")}) stored
        CROSS JOIN LATERAL (
            SELECT true AS same FROM billing_callrecord r
            WHERE r.is_voided AND (r.is_voided OR r.seconds = 0) AND r.call_id = s.call_id
                AND {same_content("s", "r")} AND {same_identity("s", "r")}
            UNION ALL SELECT false ORDER BY 1 DESC LIMIT 1) void
        CROSS JOIN LATERAL (
            SELECT bool_or(r.state = 'dismissed') AS dismissed, bool_or(r.state = 'open') AS open
            FROM billing_setasidecall r
            WHERE r.call_id = s.call_id AND {same_content("s", "r")} AND {same_identity("s", "r")}) aside
        WHERE s.seconds > 0
    ) fated WHERE fate IS NOT NULL
"""  # noqa: S608 - our own text
# A row that was rejected and dismissed stays dismissed, even if it could be taken by now. The content that was
# dismissed comes with it, to be compared.
DISMISSED = """
    SELECT s.line, r.content FROM part_call s JOIN billing_rejectedcall r ON r.call_id = s.call_id
    LEFT JOIN fated_call f ON f.line = s.line
    WHERE r.state = 'dismissed' AND s.seconds > 0 AND (f.line IS NULL OR f.fate NOT IN ('repeated', 'voided'))
    ORDER BY s.line
"""
STAY_DISMISSED = """
    INSERT INTO fated_call SELECT unnest(%s::bigint[]), 'repeated' ON CONFLICT (line) DO UPDATE SET fate = 'repeated'
"""
SET_ASIDE_ROWS = """
    INSERT INTO billing_setasidecall (call_id, leg, number, caller, started_at, seconds, received_in_id, line, reason)
    SELECT s.call_id, s.leg, s.number, s.caller, s.started_at, s.seconds, %(call_import)s, s.line, f.fate
    FROM part_call s JOIN fated_call f ON f.line = s.line
    WHERE f.fate IN ('stored', 'in_file') ORDER BY s.line
"""
SETTLE_ASIDE = f"""
    UPDATE billing_setasidecall r SET state = 'settled', settled_in_id = %(call_import)s, decided_at = %(now)s
    FROM part_call s
    WHERE r.state = 'open' AND r.call_id = s.call_id AND {same_content("s", "r")} AND {same_identity("s", "r")}
        AND s.seconds > 0 AND NOT EXISTS (SELECT FROM fated_call f WHERE f.line = s.line)
"""  # noqa: S608 - our own text
# A reject whose row was rejected again in this file belongs to another record than the one that was added: it stays.
SETTLE_REJECTS = """
    UPDATE billing_rejectedcall r SET state = 'settled', settled_in_id = %(call_import)s, decided_at = %(now)s
    FROM part_call s
    WHERE r.state = 'open' AND r.received_in_id < %(call_import)s AND r.call_id <> '' AND r.call_id = s.call_id
        AND (r.leg = '' OR r.leg = s.leg) AND r.seen_in_id IS DISTINCT FROM %(call_import)s
        AND s.seconds > 0 AND NOT EXISTS (SELECT FROM fated_call f WHERE f.line = s.line)
"""
WAITING = """
    SELECT EXISTS (SELECT FROM billing_setasidecall WHERE state = 'open'),
        EXISTS (SELECT FROM billing_rejectedcall WHERE state = 'open' AND call_id <> '')
"""


def look_closely(values: dict[str, object], content: Callable[[int], str]) -> dict[str, int]:
    """Fill `fated_call` with the rows of a part that are not added, and return the number of rows by fate.

    `content` returns the row on a line as it was received.
    """
    run(LOOK, values)
    if not values["take_voided"]:
        dismissed = {line for line, kept in rows(DISMISSED) if content(line) == kept}
        if dismissed:
            run(STAY_DISMISSED, [sorted(dismissed)])
    return dict(rows("SELECT fate, count(*) FROM fated_call GROUP BY fate"))


def settle(values: dict[str, object]) -> None:
    """Settle open set-aside records with the content of rows that a part added, and open rejects of the same calls."""
    set_aside, rejects = rows(WAITING)[0]
    if set_aside:
        run(SETTLE_ASIDE, values)
    if rejects:
        run(SETTLE_REJECTS, values)
