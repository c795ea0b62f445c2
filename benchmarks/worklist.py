"""The speed of the Onboarding team's pages with very many accounts in onboarding.

`python -m benchmarks.worklist 100000` prints a row with queries and milliseconds for the dashboard, an account's page,
and each filter and order of the worklist, and then the same as lines of JSON.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import django

ROUNDS = 3
POLICY_DAYS = 60
PAGE = "/admin/onboarding/onboarding/"

MADE = """
TRUNCATE accounts_account, billing_callimport, accounts_user CASCADE;
INSERT INTO accounts_user (id, email, password, is_superuser, is_staff, is_active, first_name, last_name, date_joined)
SELECT n, CASE WHEN n <= 10 THEN 'member' ELSE 'contact' END || n || '@example.com', '!', n = 1, n <= 10, true, '', '',
    now() FROM generate_series(1, 10 + {size}) n;
INSERT INTO accounts_account (id, number, company, timezone, created_at)
SELECT n, (100000000 + n)::text, 'Company ' || n, ({zones})[1 + n % 5], now() - interval '100 days'
FROM generate_series(1, {size}) n;
INSERT INTO accounts_contact (account_id, user_id, role) SELECT n, 10 + n, 'owner' FROM generate_series(1, {size}) n;
INSERT INTO onboarding_onboarding
    (account_id, started_at, started_on, activated_from, reason, owner_id, deadline_rule, deadline_on, deadline_reason)
SELECT n, started_at, local_day(({zones})[1 + n % 5], started_at), '', '',
    CASE WHEN n % 3 > 0 THEN 1 + n % 10 END, CASE WHEN n % 10 = 0 THEN 'fixed' ELSE 'policy' END,
    CASE WHEN n % 10 = 0 THEN current_date + n % 90 END, CASE WHEN n % 10 = 0 THEN 'Measured' ELSE '' END
FROM (SELECT n, now() - (n::bigint * 7919 % 90000) * interval '86.4 seconds' AS started_at
    FROM generate_series(1, {size}) n) made;
INSERT INTO onboarding_goliverequest (account_id, wanted_on, note, requested_by_id, answer)
SELECT n, current_date + n % 30, '', 10 + n, '' FROM generate_series(20, {size}, 20) n;
INSERT INTO subscriptions_change (id, account_id, version, by_id, at, day)
SELECT n, n, 1, 1, now() - interval '100 days', current_date - 100 FROM generate_series(1, {size}) n;
INSERT INTO subscriptions_contactcenter (account_id, edition_id, seats, storage_id, package_id, version, installed_at)
SELECT n, CASE WHEN n % 4 = 0 THEN elite.id ELSE pro.id END, n % 3, storage.id, package.id, 1, now()
FROM generate_series(1, {size}) n, subscriptions_item pro, subscriptions_item elite, subscriptions_item storage,
    subscriptions_item package
WHERE pro.sku = 'cc-pro' AND elite.sku = 'cc-elite' AND storage.sku = 'storage-25' AND package.sku = 'tf-payperuse';
INSERT INTO subscriptions_holding (account_id, item_id, slot, quantity, period, change_id)
SELECT n, i.id,
    CASE i.kind WHEN 'product' THEN -1 WHEN 'storage' THEN -2 WHEN 'package' THEN -3 ELSE i.id END,
    CASE WHEN i.kind = 'product' THEN n % 3 ELSE 1 END, daterange('2026-01-01', NULL), n
FROM generate_series(1, {size}) n CROSS JOIN subscriptions_item i
WHERE i.sku IN ('channel-chat', 'channel-sms', 'addon-wfm', 'storage-25', 'tf-payperuse')
    OR n % 3 > 0 AND i.sku = CASE WHEN n % 4 = 0 THEN 'cc-elite' ELSE 'cc-pro' END
ORDER BY n;
INSERT INTO accounts_serviceuser (account_id, name, email, contact_center_role)
SELECT n, 'Person ' || k, 'person' || k || '@company' || n || '.example.com',
    CASE WHEN k < n % 4 THEN 'agent' ELSE '' END
FROM generate_series(1, {size}) n, generate_series(1, 5) k;
INSERT INTO accounts_phonenumber (id, account_id, number, kind)
SELECT n, n, '+1800' || 2000000 + n, 'toll_free' FROM generate_series(1, {size}) n;
INSERT INTO accounts_numberassignment (account_id, number_id, period, assigned_by_id)
SELECT n, n, tstzrange('2026-01-01', NULL), 1 FROM generate_series(1, {size}) n WHERE n % 5 > 0;
INSERT INTO billing_callimport (id, name, layout, added, unmatched, repeated, rejected)
VALUES (1, 'Measured', 'own', 0, 0, 0, 0);
INSERT INTO billing_callrecord
    (call_id, number, caller, started_at, seconds, is_toll_free, received_in_id, account_id, day, matched_at)
SELECT 'pbx1-' || n || '.' || k, '+1800' || 2000000 + n, '+12125550100', now() - k * interval '5 days',
    (n::bigint * 7919 + k * 104729) % 5400, true, 1, n, (now() - k * interval '5 days')::date, now()
FROM generate_series(1, {size}) n CROSS JOIN generate_series(1, 10) k;
"""
LOOSE = "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'x'"


def populate(size: int) -> None:
    """Replace all accounts by `size` new ones in onboarding; afterwards, guards and constraints are in place again."""
    from django.db import connection  # noqa: PLC0415 - needs Django to be set up

    import subscriptions  # noqa: PLC0415
    from benchmarks.accounts import ZONES  # noqa: PLC0415
    from subscriptions.actions import load_catalogue  # noqa: PLC0415
    from subscriptions.models import Item  # noqa: PLC0415

    if not Item.objects.exists():
        load_catalogue(json.loads((Path(subscriptions.__file__).parent / "catalogue.json").read_text(encoding="utf-8")))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(LOOSE)
        exclusions = cursor.fetchall()
        for name, table, _ in exclusions:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(MADE.format(size=size, zones=ZONES))
        cursor.execute("SET session_replication_role = origin")
        for name, table, definition in exclusions:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        cursor.execute("VACUUM ANALYZE")


def looks(size: int) -> Iterator[tuple[str, str]]:
    """Yield each page to measure: its label and its URL."""
    last, one = -(-size // 50), size // 2
    yield "dashboard", "/admin/"
    yield "an account's page", f"{PAGE}{size // 2}/change/"
    yield "worklist, page 1", PAGE
    yield "last page", f"{PAGE}?p={last}"
    queries = {
        "due=overdue": "overdue",
        "due=soon": "due soon",
        "asked=yes": "go-live asked for",
        "owner=me": "mine",
        "owner=nobody": "nobody's",
        "ready=yes": "ready",
        "edition=cc-elite": "edition",
        "age=61-": "over 60 days",
        f"q={100_000_000 + one}": "search: account number",
        f"q=Company+{one}": "search: company",
        f"q=contact{one}@": "search: contact's e-mail",
        f"q=(800)+{(2_000_000 + one) // 10_000}-{(2_000_000 + one) % 10_000:04}": "search: phone number",
    }
    columns = ["number", "company", "edition", "age", "deadline", "asked for", "owner", "readiness", "minutes", "value"]
    for query, words in queries.items():
        yield words, f"{PAGE}?{query}"
    for place, name in enumerate(columns, start=1):
        yield f"sorted by {name}", f"{PAGE}?o=-{place}"
    yield "mine, sorted by minutes", f"{PAGE}?owner=me&o=-9"
    yield "mine, sorted by value", f"{PAGE}?owner=me&o=-10"


def measure(size: int) -> None:
    from django.db import connection  # noqa: PLC0415
    from django.test import Client, override_settings  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from benchmarks.machine import description  # noqa: PLC0415

    facts = []
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(pk=1))
    print("| | queries | database, ms | slowest query, ms | whole page, ms |\n|---|---|---|---|---|")
    with override_settings(ONBOARDING_DEADLINE_DAYS=POLICY_DAYS, ALLOWED_HOSTS=["*"]):
        for words, address in looks(size):
            database, slowest, whole = [], [], []
            for _ in range(ROUNDS + 1):  # the first warms up
                start = time.perf_counter()
                with CaptureQueriesContext(connection) as queries:
                    answer = client.get(address)
                whole.append(time.perf_counter() - start)
                assert answer.status_code == 200, (address, answer.status_code)
                times = [float(query["time"]) for query in queries]
                database.append(sum(times))
                slowest.append(max(times))
            medians = [statistics.median(each[1:]) for each in (database, slowest, whole)]
            cells = " | ".join(f"{seconds * 1000:,.0f}" for seconds in medians)
            print(f"| {words} | {len(queries)} | {cells} |", flush=True)
            names = ("database_seconds", "slowest_seconds", "seconds")
            seconds = {name: round(each, 4) for name, each in zip(names, medians, strict=True)}
            facts.append({"name": f"team's pages, {words}", "size": size, **seconds, "queries": len(queries)})
    machine = description()
    for each in facts:
        print(json.dumps({**each, "machine": machine}))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worklist", description=__doc__)
    parser.add_argument("accounts", nargs="?", type=int, default=10_000)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks.machine import description, throw_away_database  # noqa: PLC0415

    with throw_away_database():
        populate(options.accounts)
        print(f"{options.accounts:,} accounts in onboarding. {description()}\n")
        measure(options.accounts)


if __name__ == "__main__":
    main()
