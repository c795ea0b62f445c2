"""The limit of the bill run: the same bills by hand-written statements for exactly these accounts, chunk by chunk.

The statements leave out what these accounts don't have: late calls, prices or packages that change within the month,
and bills to put on hold. They take no locks and set no failed account aside. The bounds of the chunk are repeated for
each table.
"""

from datetime import date, datetime

from django.db import connection, transaction

from benchmarks.accounts import ZONES
from billing.documents.digests import INVOICE_COLUMNS, with_digests_of_invoices
from billing.documents.presentation import presentation_today
from billing.models import Issuer
from billing.pricing.charges import month_after
from subscriptions.kinds import ORDER_ON_BILL

STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged (
    account_id bigint, kind text, sku text, place int, first date, last date, quantity bigint,
    unit_price numeric(10, 4), amount numeric(12, 2), per_seat boolean,
    minutes bigint, included bigint, package_minutes bigint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS numbered (account_id bigint, id bigint, place bigint) ON COMMIT DELETE ROWS;
"""
LINES = """
WITH priced AS MATERIALIZED (
    SELECT i.id, i.sku, i.kind, i.charged_per = 'seat' AS per_seat, i.size, p.monthly_price, p.per_minute,
        array_position(%(kinds)s::text[], i.kind::text) AS place
    FROM subscriptions_item i JOIN subscriptions_price p ON p.item_id = i.id
), charged AS MATERIALIZED (
    SELECT a.id AS account_id, greatest(%(month)s, o.activated_on) AS since
    FROM accounts_account a JOIN onboarding_onboarding o ON o.account_id = a.id
    WHERE a.id BETWEEN %(lo)s AND %(hi)s AND o.account_id BETWEEN %(lo)s AND %(hi)s AND o.activated_on < %(end)s
), held AS MATERIALIZED (
    SELECT h.account_id, p.*, h.quantity, greatest(lower(h.period), %(month)s) AS first,
        least(upper(h.period), %(end)s) AS stop
    FROM subscriptions_holding h JOIN priced p ON p.id = h.item_id
    WHERE h.account_id BETWEEN %(lo)s AND %(hi)s AND h.superseded_by_id IS NULL
        AND h.period && daterange(%(month)s, %(end)s)
), recurring AS (
    SELECT h.account_id, h.sku, h.place, h.per_seat, h.monthly_price, coalesce(s.quantity, h.quantity) AS quantity,
        greatest(c.since, s.first, h.first) AS first, least(s.stop, h.stop) AS stop
    FROM held h JOIN charged c ON c.account_id = h.account_id
    LEFT JOIN held s ON s.account_id = h.account_id AND s.kind = 'product' AND h.per_seat AND h.kind <> 'product'
), called AS MATERIALIZED (
    SELECT account_id, sum(minutes) AS minutes FROM billing_callrecord
    WHERE account_id BETWEEN %(lo)s AND %(hi)s AND is_toll_free AND NOT is_voided AND day >= %(month)s AND day < %(end)s
    GROUP BY account_id
)
INSERT INTO staged
SELECT account_id, 'recurring', sku, place, first, stop - 1, quantity, monthly_price,
    round(monthly_price * quantity * (stop - first) / %(days)s, 2), per_seat, NULL, NULL, NULL
FROM recurring WHERE first < stop AND round(monthly_price * quantity * (stop - first) / %(days)s, 2) <> 0
UNION ALL
SELECT c.account_id, 'usage', h.sku, 100, %(month)s, %(end)s - 1, c.minutes - h.size, h.per_minute,
    round((c.minutes - h.size) * h.per_minute, 2), false, c.minutes, h.size, h.size
FROM called c JOIN held h ON h.account_id = c.account_id AND h.kind = 'package'
WHERE c.minutes > h.size
"""
WRITE = (
    "INSERT INTO billing_billedmonth (account_id, month, billed_at) "
    "SELECT account_id, %(month)s, %(now)s FROM onboarding_onboarding WHERE account_id BETWEEN %(lo)s AND %(hi)s",
    "INSERT INTO numbered SELECT account_id, nextval('billing_invoice_id_seq'), row_number() OVER () "
    "FROM (SELECT DISTINCT account_id FROM staged ORDER BY account_id) billed",
    """
    INSERT INTO billing_invoiceline (invoice_id, position, line_count, kind, sku, month, first, last, quantity,
        unit_price, amount, per_seat, minutes, included, package_minutes)
    SELECT n.id, row_number() OVER (PARTITION BY n.id ORDER BY s.place, s.sku, s.first),
        count(*) OVER (PARTITION BY n.id), s.kind, s.sku, %(month)s, s.first, s.last, s.quantity, s.unit_price,
        s.amount, s.per_seat, s.minutes, s.included, s.package_minutes
    FROM staged s JOIN numbered n ON n.account_id = s.account_id ORDER BY n.id, s.place, s.sku, s.first
    """,
    """
    WITH taken AS (
        INSERT INTO billing_counter (id, invoices) SELECT 1, count(*) FROM numbered
        ON CONFLICT (id) DO UPDATE SET invoices = billing_counter.invoices + EXCLUDED.invoices RETURNING invoices)
    INSERT INTO billing_invoice (id, number, account_id, month, issued_at, total, line_count)
    SELECT n.id, taken.invoices - (SELECT count(*) FROM numbered) + n.place, n.account_id, %(month)s, %(now)s,
        s.total, s.line_count
    FROM numbered n CROSS JOIN taken
    JOIN (SELECT account_id, sum(amount) AS total, count(*) AS line_count FROM staged GROUP BY account_id) s
        ON s.account_id = n.account_id
    """,
)
# The same documents: of one issuer, without billing profiles.
PAPERS = f"""
    SELECT n.id AS invoice_id, %(presentation)s::bigint AS presentation_id, %(issuer)s::bigint AS issuer_id,
        NULL::bigint AS profile_id, a.company, a.number AS account_number, a.timezone, 'en' AS language,
        z.day AS issued_on, false AS reconstructed, z.day + 30 AS due_on
    FROM numbered n JOIN accounts_account a ON a.id = n.account_id
    JOIN (SELECT name, (%(now)s AT TIME ZONE name)::date AS day FROM unnest({ZONES}) name) z ON z.name = a.timezone
"""  # noqa: S608 - our own text
DOCUMENTS = f"""
    INSERT INTO billing_invoicedocument ({", ".join(INVOICE_COLUMNS)}, digest) {with_digests_of_invoices(PAPERS)}
"""

# One email for each document, to its account's only contact.
EMAILS = """
    WITH keyed AS MATERIALIZED (
        SELECT nextval('core_outgoingemail_id_seq') AS email_id, n.id AS invoice_id, u.id AS to_id, u.email AS address
        FROM numbered n JOIN accounts_contact c ON c.account_id = n.account_id JOIN accounts_user u ON u.id = c.user_id
    ), written AS (
        INSERT INTO billing_delivery (email_id, invoice_id, to_id) SELECT email_id, invoice_id, to_id FROM keyed
    )
    INSERT INTO core_outgoingemail (id, kind, address, data, created_at, due_at)
    SELECT email_id, 'document', address, '{}', %(now)s, %(now)s FROM keyed
"""


def bill_by_hand(size: int, month: date, now: datetime, chunk: int) -> None:
    """Bill the accounts 1 to `size`, each chunk in one transaction."""
    end = month_after(month)
    kinds = list(ORDER_ON_BILL)
    issuer = Issuer.objects.in_force(now.date())
    assert issuer is not None
    kept = {"presentation": presentation_today().pk, "issuer": issuer.pk}
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        for lo in range(1, size + 1, chunk):
            values = {"lo": lo, "hi": min(size, lo + chunk - 1), "month": month, "end": end, "now": now, "kinds": kinds}
            with transaction.atomic():
                for statement in (LINES, *WRITE, DOCUMENTS, EMAILS):
                    cursor.execute(statement, {**values, **kept, "days": (end - month).days})
