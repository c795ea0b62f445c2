"""Creates accounts to bill with a few statements. Each holds six items and has ten toll-free calls.

A tenth of the accounts is in onboarding. Most were activated before the month that is billed, a fifth within it. A
tenth changed its seats within the month.
"""

import json
from datetime import date
from pathlib import Path

from django.db import connection

import subscriptions
from accounts.models import User
from billing.models import Issuer
from subscriptions.actions import load_catalogue
from subscriptions.models import Item

MONTH = date(2026, 10, 1)
CALLS = 10

EMPTY = "TRUNCATE accounts_account, billing_callimport CASCADE"
ZONES = "ARRAY['America/New_York', 'America/Chicago', 'America/Los_Angeles', 'Europe/Berlin', 'Asia/Kolkata']"
PEOPLE = """
INSERT INTO accounts_account (id, number, company, timezone, created_at)
SELECT n, (100000000 + n)::text, 'Company ' || n, ({zones})[1 + n % 5], '2026-07-01'
FROM generate_series(1, {size}) n;
INSERT INTO accounts_contact (account_id, user_id, role) SELECT n, {by}, 'owner' FROM generate_series(1, {size}) n;
INSERT INTO onboarding_onboarding
    (id, account_id, started_at, started_on, activated_at, activated_on, activated_by_id, activated_from, reason)
SELECT n, n, '2026-07-01 12:00+00', '2026-07-01', activated_at, local_day(({zones})[1 + n % 5], activated_at),
    CASE WHEN live THEN {by} END, CASE WHEN live THEN 'batch' ELSE '' END, CASE WHEN live THEN 'Measured' ELSE '' END
FROM (SELECT n, n % 10 <> 0 AS live,
    CASE WHEN n % 10 <> 0 THEN '2026-07-15 12:00+00'::timestamptz + n % 100 * interval '1 day' END AS activated_at
    FROM generate_series(1, {size}) n) made;
INSERT INTO subscriptions_change (id, account_id, version, by_id, at, day)
SELECT n, n, 1, {by}, '2026-07-01 12:00+00', '2026-07-01' FROM generate_series(1, {size}) n;
"""
# A tenth of the accounts has two rows for the product: five more seats from a day of the month on.
HELD = """
INSERT INTO subscriptions_holding (account_id, item_id, slot, quantity, period, change_id)
SELECT n, i.id,
    CASE i.kind WHEN 'product' THEN -1 WHEN 'storage' THEN -2 WHEN 'package' THEN -3 ELSE i.id END,
    CASE WHEN i.kind = 'product' THEN CASE WHEN n % 10 = 0 THEN 2 ELSE 1 + n % 40 + more END ELSE 1 END,
    CASE WHEN i.kind <> 'product' OR n % 10 <> 1 THEN daterange('2026-07-01', NULL)
        WHEN more = 0 THEN daterange('2026-07-01', '2026-10-02'::date + n / 10 % 28)
        ELSE daterange('2026-10-02'::date + n / 10 % 28, NULL) END,
    n
FROM generate_series(1, {size}) n
CROSS JOIN subscriptions_item i
CROSS JOIN (VALUES (0), (5)) seats (more)
WHERE (more = 0 OR (i.kind = 'product' AND n % 10 = 1))
    AND (i.sku IN ('cc-pro', 'channel-chat', 'channel-sms', 'addon-wfm', 'storage-25')
        OR i.sku = CASE WHEN n % 3 = 0 OR n % 10 = 0 THEN 'tf-payperuse' ELSE 'tf-500' END)
ORDER BY n;
"""
CALLED = """
INSERT INTO billing_callimport (id, name, layout, added, unmatched, repeated, rejected)
VALUES (1, 'Measured', 'own', 0, 0, 0, 0);
INSERT INTO billing_callrecord
    (call_id, number, caller, started_at, seconds, is_toll_free, received_in_id, account_id, day, matched_at)
SELECT 'pbx1-' || n || '.' || k, '+1800' || 2000000 + n, '+12125550100', day + time '18:00' AT TIME ZONE 'UTC',
    (n::bigint * 7919 + k * 104729) % 5400, true, 1, n, day, '2026-11-01'
FROM generate_series(1, {size}) n
CROSS JOIN generate_series(1, {calls}) k
CROSS JOIN LATERAL (SELECT '2026-10-01'::date + (n + k * 3) % 30 AS day) called;
"""
LOOSE = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'holdings_never_overlap'"


def populate(size: int) -> None:
    """Replace all accounts by `size` new ones.

    Triggers are off meanwhile, and the ledger's exclusion constraint is dropped and added again at the end, because
    checking it row by row would take most of the time. Afterwards, all guards and indexes are in place again, and the
    tables are analyzed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(EMPTY)
    if not Item.objects.exists():
        load_catalogue(json.loads((Path(subscriptions.__file__).parent / "catalogue.json").read_text(encoding="utf-8")))
    if not Issuer.objects.exists():
        Issuer.objects.create(
            effective_from=date(2026, 1, 1),
            legal_name="Example Telecom, Inc.",
            street="1 Main Street",
            city="Springfield",
            country="US",
            email="billing@example.com",
            payment_instructions="By transfer to Example Bank.",
        )
    by = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("bench@example.com")
    with connection.cursor() as cursor:
        cursor.execute(LOOSE)
        (constraint,) = cursor.fetchone()
        cursor.execute("ALTER TABLE subscriptions_holding DROP CONSTRAINT holdings_never_overlap")
        cursor.execute("SET session_replication_role = replica")
        for made in (PEOPLE, HELD, CALLED):
            cursor.execute(made.format(size=size, by=by.pk, zones=ZONES, calls=CALLS))
        cursor.execute("SET session_replication_role = origin")
        cursor.execute(f"ALTER TABLE subscriptions_holding ADD CONSTRAINT holdings_never_overlap {constraint}")
        cursor.execute("VACUUM ANALYZE")
