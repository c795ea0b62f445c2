"""The invariants, each as a query that returns what breaks it; written without the product's code."""

from django.db import connection

SEAT_LIMIT = 2
BROKEN = {
    "I1 at most two seats in onboarding": f"""
        SELECT c.account_id, c.seats FROM subscriptions_contactcenter c JOIN onboarding_onboarding o USING (account_id)
        WHERE o.activated_at IS NULL AND c.seats > {SEAT_LIMIT}""",
    "I1 at most two seats on any day of onboarding": f"""
        SELECT h.id FROM subscriptions_holding h JOIN onboarding_onboarding o USING (account_id)
        WHERE h.slot = -1 AND h.superseded_by_id IS NULL AND h.quantity > {SEAT_LIMIT}
            AND h.period && daterange(o.started_on, o.activated_on)""",
    "I2 the Pay-per-use package in onboarding": """
        SELECT c.account_id FROM subscriptions_contactcenter c JOIN onboarding_onboarding o USING (account_id)
        JOIN subscriptions_item i ON i.id = c.package_id WHERE o.activated_at IS NULL AND i.size <> 0""",
    "I3 an activation happens once and permanently": """
        SELECT id FROM onboarding_historicalonboarding GROUP BY id HAVING count(DISTINCT activated_at) > 1
        UNION ALL SELECT o.id FROM onboarding_onboarding o JOIN onboarding_historicalonboarding h ON h.id = o.id
        WHERE h.activated_at IS NOT NULL AND o.activated_at IS DISTINCT FROM h.activated_at""",
    "I5 activated by staff, or by the schedule": """
        SELECT o.id FROM onboarding_onboarding o JOIN accounts_user u ON u.id = o.activated_by_id
        WHERE NOT (u.is_staff OR u.is_system)""",
    "I6 no product before the activation": """
        SELECT l.id FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id
        JOIN subscriptions_item t ON t.sku = l.sku LEFT JOIN onboarding_onboarding o USING (account_id)
        WHERE l.kind = 'recurring' AND (o.activated_on IS NULL OR l.first < o.activated_on)""",
    "I8 each day of an item is invoiced once": """
        SELECT i.account_id, l.sku, d FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id,
            generate_series(l.first, l.last, interval '1 day') d
        WHERE l.kind = 'recurring' AND l.sku NOT LIKE 'cc-%'
        GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "I9 numbers of invoices have no gap": """
        SELECT n FROM billing_counter c, generate_series(1, c.invoices) n
        WHERE NOT EXISTS (SELECT FROM billing_invoice WHERE number = n)
            AND NOT EXISTS (SELECT FROM billing_numbergap WHERE of = 'invoices' AND n BETWEEN first AND last)""",
    "I9 numbers of credit notes have no gap": """
        SELECT n FROM billing_counter c, generate_series(1, c.credit_notes) n
        WHERE NOT EXISTS (SELECT FROM billing_creditnote WHERE number = n)
            AND NOT EXISTS (SELECT FROM billing_numbergap WHERE of = 'credit_notes' AND n BETWEEN first AND last)""",
    "I9 the counter is the last number": """
        SELECT 1 FROM billing_counter WHERE invoices < (SELECT max(number) FROM billing_invoice)
            OR credit_notes < (SELECT max(number) FROM billing_creditnote)""",
    "I9 one invoice for an account and month": """
        SELECT account_id, month FROM billing_invoice GROUP BY 1, 2 HAVING count(*) > 1""",
    "I9 a month of an account is billed once": """
        SELECT account_id, month FROM billing_billedmonth GROUP BY 1, 2 HAVING count(*) > 1
        UNION ALL SELECT i.account_id, i.month FROM billing_invoice i LEFT JOIN billing_billedmonth b
            ON (b.account_id, b.month) = (i.account_id, i.month) WHERE b.id IS NULL""",
    "I11 a total is the sum of its lines": """
        SELECT i.id FROM billing_invoice i LEFT JOIN billing_invoiceline l ON l.invoice_id = i.id
        GROUP BY i.id HAVING i.total <> coalesce(sum(l.amount), 0) OR i.line_count <> count(l.id)""",
    "credit notes give back no more than was invoiced": """
        SELECT i.id FROM billing_invoice i JOIN billing_creditnote n ON n.invoice_id = i.id
        GROUP BY i.id HAVING sum(n.amount) > i.total""",
    "I12 a call counts once": """
        SELECT call_id, leg FROM billing_callrecord WHERE NOT is_voided GROUP BY 1, 2 HAVING count(*) > 1""",
    "I12 a void is there once, and its record says so": """
        SELECT r.id FROM billing_callrecord r LEFT JOIN billing_callvoid v ON v.record_id = r.id
        WHERE r.is_voided <> (v.id IS NOT NULL)
        UNION ALL SELECT record_id FROM billing_callvoid GROUP BY 1 HAVING count(*) > 1""",
    "I13 what is held does not overlap": """
        SELECT a.id FROM subscriptions_holding a JOIN subscriptions_holding b
            ON b.account_id = a.account_id AND b.slot = a.slot AND b.id > a.id AND b.period && a.period
        WHERE a.superseded_by_id IS NULL AND b.superseded_by_id IS NULL""",
    "I13 the ledger ends with what is held now": """
        SELECT c.account_id FROM subscriptions_contactcenter c LEFT JOIN subscriptions_holding h
            ON h.account_id = c.account_id AND h.slot = -1 AND h.superseded_by_id IS NULL AND upper_inf(h.period)
        WHERE c.seats <> coalesce(h.quantity, 0)""",
    "a number is assigned to one account at a time": """
        SELECT a.id FROM accounts_numberassignment a JOIN accounts_numberassignment b
            ON b.number_id = a.number_id AND b.id > a.id AND b.period && a.period""",
    "an assigned number belongs to the account": """
        SELECT a.id FROM accounts_numberassignment a JOIN accounts_phonenumber p ON p.id = a.number_id
        WHERE upper_inf(a.period) AND p.account_id <> a.account_id""",
    "a matched call was to a number of the account at that time": """
        SELECT r.id FROM billing_callrecord r WHERE r.account_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM accounts_numberassignment a JOIN accounts_phonenumber p ON p.id = a.number_id
            WHERE p.number = r.number AND a.account_id = r.account_id AND a.period @> r.started_at)""",
    "I14 versions of changes have no gap": """
        SELECT account_id FROM subscriptions_change GROUP BY 1 HAVING max(version) - min(version) + 1 <> count(*)""",
    "I16 the last history row is what is held": """
        SELECT c.id FROM subscriptions_contactcenter c JOIN LATERAL (
            SELECT seats, package_id FROM subscriptions_historicalcontactcenter h WHERE h.id = c.id
            ORDER BY history_id DESC LIMIT 1) h ON true
        WHERE (c.seats, c.package_id) IS DISTINCT FROM (h.seats, h.package_id)""",
    "I16 everything was written by the application": """
        SELECT id FROM subscriptions_historicalcontactcenter WHERE history_user_id IS NULL
        UNION ALL SELECT id FROM onboarding_historicalonboarding WHERE history_user_id IS NULL""",
    "I24 a purchase's day is that of its instant": """
        SELECT id FROM subscriptions_change WHERE abs(day - (at AT TIME ZONE 'UTC')::date) > 1""",
    "I25 a record set aside has one fate": """
        SELECT id FROM billing_setasidecall WHERE (state = 'open') <> (decided_at IS NULL AND settled_in_id IS NULL)
        UNION ALL SELECT a.id FROM billing_setasidecall a LEFT JOIN billing_callrecord r ON r.id = a.record_id
        WHERE a.state = 'taken' AND r.id IS NULL""",
}


def broken() -> list[str]:
    """Return the invariants that don't hold, each with some of what breaks it."""
    found = []
    for name, query in BROKEN.items():
        with connection.cursor() as cursor:
            cursor.execute(query)
            if rows := cursor.fetchmany(5):
                found.append(f"{name}: {rows}")
    return found
