"""The speed of a busy account's audit log: `python -m benchmarks.audit_log [ROWS]`.

The account has ROWS (10,000) events: 60% are about its service users, 30% are purchases, and 10% are refusals. Twenty
other accounts have as many, interleaved with them. Prints one line of JSON with milliseconds, each the median of 9
runs.
"""

import json
import os
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import django

ROUNDS = 9
OTHERS = 20

MADE = """
INSERT INTO accounts_account (id, number, company, timezone)
SELECT a, (100000 + a)::text, 'Company ' || a, 'America/New_York' FROM generate_series(1, {accounts}) a;
INSERT INTO accounts_historicalserviceuser
    (id, name, email, contact_center_role, created_at, account_id, history_date, history_type, history_user_id)
SELECT a * 1000 + n % 300, 'Person ' || n % 300, 'p' || n % 300 || '@example.com',
    (ARRAY['', 'agent', 'team_leader'])[1 + n / 300 % 3], '2026-01-01', a,
    '2026-01-01'::timestamptz + n * interval '1 min',
    CASE WHEN n < 300 THEN '+' ELSE '~' END, {by}
FROM generate_series(0, {rows} * 6 / 10 - 1) n CROSS JOIN generate_series(1, {accounts}) a ORDER BY n, a;
INSERT INTO subscriptions_historicalcontactcenter
    (id, seats, version, installed_at, account_id, edition_id, storage_id, package_id, history_date, history_type,
    history_user_id)
SELECT a, n % 3, n, '2026-01-01', a, e.id, s.id, p.id, '2026-01-01'::timestamptz + n * interval '1 min',
    CASE WHEN n = 0 THEN '+' ELSE '~' END, {by}
FROM generate_series(0, {rows} * 3 / 10 - 1) n CROSS JOIN generate_series(1, {accounts}) a
JOIN subscriptions_item e ON e.sku = 'cc-pro' JOIN subscriptions_item s ON s.sku = 'storage-5'
JOIN subscriptions_item p ON p.sku = 'tf-payperuse' ORDER BY n, a;
INSERT INTO subscriptions_change (account_id, version, by_id, at, day)
SELECT a, n, {by}, '2026-01-01', '2025-12-31' FROM generate_series(0, {rows} * 3 / 10 - 1) n
CROSS JOIN generate_series(1, {accounts}) a ORDER BY n, a;
INSERT INTO subscriptions_holding (account_id, item_id, slot, quantity, period, change_id, superseded_by_id)
SELECT c.account_id, i.id, i.id, 1, daterange('2026-01-01', NULL), c.id, later.id
FROM subscriptions_change c JOIN subscriptions_item i ON i.sku = 'channel-chat'
JOIN subscriptions_change later ON later.account_id = c.account_id AND later.version = c.version + 1
WHERE c.version % 2 = 0;
INSERT INTO accounts_refusal (account_id, by_id, at, action, field, tried, rule, message)
SELECT a, {by}, '2026-01-01'::timestamptz + n * interval '5 min',
    'change_subscription', 'seats', '3', 'seat_limit', 'No.'
FROM generate_series(0, {rows} / 10 - 1) n CROSS JOIN generate_series(1, {accounts}) a ORDER BY n, a;
"""


def milliseconds(read: Callable[[], Any]) -> float:
    """Return the median time of a read in milliseconds."""
    taken = []
    for _ in range(ROUNDS):
        start = perf_counter()
        read()
        taken.append((perf_counter() - start) * 1000)
    return round(median(taken), 1)


def main(rows: int) -> None:
    from django.db import connection  # noqa: PLC0415 - models can be imported once Django is set up

    from accounts.events import EventKind, Wanted, event_page, events_of, recent_events  # noqa: PLC0415
    from accounts.models import Account, Contact, Role, User  # noqa: PLC0415
    from benchmarks import accounts as population  # noqa: PLC0415
    from benchmarks.machine import description, throw_away_database  # noqa: PLC0415

    with throw_away_database():
        population.populate(1)
        by = User.objects.create_user("customer@example.com")
        with connection.cursor() as cursor:
            cursor.execute(population.EMPTY)
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(MADE.format(accounts=OTHERS + 1, rows=rows, by=by.pk))
            cursor.execute("SET session_replication_role = origin")
            cursor.execute("VACUUM ANALYZE")
        account = Account.objects.get(pk=OTHERS // 2)
        Contact.objects.create(account=account, user=by, role=Role.OWNER)
        everything = list(events_of(account, Wanted()))
        assert len(everything) > rows * 0.9, len(everything)
        deep = Wanted(before=everything[-100].cursor)
        results = {
            "recent_5": milliseconds(lambda: recent_events(account, 5)),
            "newest_page": milliseconds(lambda: event_page(account, Wanted(), 50)),
            "last_page": milliseconds(lambda: event_page(account, deep, 50)),
            "refused_page": milliseconds(lambda: event_page(account, Wanted(kind=EventKind.REFUSED), 50)),
            "page_of_nobody": milliseconds(lambda: event_page(account, Wanted(who="system"), 50)),
            "everything": milliseconds(lambda: list(events_of(account, Wanted()))),
        }
        facts = {"benchmark": "audit_log", "rows": rows, "events": len(everything), "milliseconds": results}
        print(json.dumps({**facts, "machine": description()}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
