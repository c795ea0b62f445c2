"""A database from before days were stored is upgraded with the days that billing used at the time (R34)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from subscriptions.ledger import Held, Row, rewrite

BEFORE = [
    ("billing", "0004_guards_join_by_hash"),
    ("subscriptions", "0003_price_is_not_moved_back"),
    ("onboarding", "0010_names_of_the_worklist"),
    ("accounts", "0004_system_member_guard"),
]
ALIAS = "upgraded"

# In CET, it is 23:30 on July 15 for the server, whose CET has no daylight saving time, and 00:30 on July 16 for Python.
# The second account is in a zone that the server doesn't know, and the third in one that neither knows.
ROWS = """
INSERT INTO accounts_user (id, email, password, first_name, last_name, is_superuser, is_staff, is_active, date_joined,
    language, is_system)
VALUES (1, 'ada@example.com', '!', '', '', true, true, true, now(), 'en', false);
INSERT INTO accounts_account (id, number, company, timezone, created_at)
VALUES (1, '100001', 'One', 'CET', '2026-01-01'), (2, '100002', 'Two', 'Mars/Olympus', '2026-01-01'),
    (3, '100003', 'Three', 'America/New_York', '2026-01-01');
INSERT INTO onboarding_onboarding (id, account_id, started_at, activated_from, reason)
SELECT id, id, '2026-07-01 12:00+00', '', '' FROM accounts_account;
UPDATE onboarding_onboarding SET activated_at = '2026-07-15 22:30+00', activated_by_id = 1, activated_from = 'admin',
    reason = 'Ready';
INSERT INTO subscriptions_item (id, sku, name, kind, charged_per, size, held_at_install, only_for)
VALUES (1, 'cc-pro', 'Pro', 'product', 'seat', 0, false, '{}');
INSERT INTO subscriptions_change (id, account_id, version, by_id, at)
VALUES (1, 1, 0, 1, '2026-07-15 22:30+00'), (2, 2, 0, 1, '2026-07-15 22:30+00'), (3, 3, 0, 1, '2026-07-16 03:30+00'),
    (4, 3, 1, 1, '2026-07-17 03:30+00');
INSERT INTO subscriptions_holding (account_id, item_id, slot, quantity, period, change_id)
VALUES (1, 1, -1, 3, daterange('2026-07-16', NULL), 1), (3, 1, -1, 5, daterange('2026-07-15', '2026-07-17'), 4),
    (3, 1, -1, 2, daterange('2026-07-17', NULL), 4);
"""

# The changes of an account, each as (instant, seats, day in its ledger). If Python and SQL agree on the zone, the
# day is that of the instant, no matter how often something is bought again. In CET, the ledger has Python's day.
CHANGES = {
    "America/New_York": [
        ("2026-07-01 16:00+00", 5, "2026-07-01"),
        ("2026-07-02 16:00+00", 18, "2026-07-02"),
        ("2026-07-03 16:00+00", 3, "2026-07-03"),
        ("2026-07-03 17:00+00", 18, "2026-07-03"),  # the row of July 2 continues
        ("2026-07-04 16:00+00", 4, "2026-07-04"),
        ("2026-07-04 17:00+00", 6, "2026-07-04"),  # fewer than the 18 of that day, which another change ended
        ("2026-07-05 17:00+00", 0, "2026-07-05"),
        ("2026-07-06 03:00+00", 2, "2026-07-05"),
    ],
    "CET": [
        ("2026-07-01 22:30+00", 5, "2026-07-02"),
        ("2026-07-04 22:30+00", 18, "2026-07-05"),
        ("2026-07-07 22:30+00", 4, "2026-07-08"),
        ("2026-07-09 22:30+00", 0, "2026-07-10"),
        ("2026-07-12 12:00+00", 7, "2026-07-12"),
    ],
}
BOUGHT = """
INSERT INTO accounts_account (id, number, company, timezone, created_at)
VALUES (%(account)s, %(account)s + 100000, 'Bought', %(zone)s, '2026-01-01');
INSERT INTO onboarding_onboarding (id, account_id, started_at, activated_from, reason)
VALUES (%(account)s, %(account)s, '2026-06-30 12:00+00', '', '');
UPDATE onboarding_onboarding SET activated_at = '2026-06-30 12:00+00', activated_by_id = 1, activated_from = 'admin',
    reason = 'Ready' WHERE id = %(account)s;
"""


@contextmanager
def made(name: str, template: str = "template1") -> Iterator[str]:
    """Create a database as a copy of the template, and drop it after the block."""
    with connections["default"]._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield name
    with connections["default"]._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


@contextmanager
def connected(name: str) -> Iterator[None]:
    """Make the database available under ALIAS within the block."""
    connections.databases[ALIAS] = {**connections.databases["default"], "NAME": name}
    try:
        yield
    finally:
        connections[ALIAS].close()
        del connections[ALIAS], connections.databases[ALIAS]


@pytest.fixture(scope="module")
def migrated(django_db_blocker: Any) -> Iterator[str]:
    """A separate empty database, migrated to before days were stored. Tests copy it, since migrating takes long."""
    with django_db_blocker.unblock(), made("test_before_days") as database:
        with connected(database):
            MigrationExecutor(connections[ALIAS]).migrate(BEFORE)
        yield database


@pytest.fixture
def old(migrated: str, django_db_blocker: Any) -> Iterator[None]:
    """A copy of `migrated` under ALIAS."""
    with django_db_blocker.unblock(), made(f"test_{ALIAS}", migrated) as database, connected(database):
        yield


def buy(account: int, zone: str) -> None:
    """Make an account in the zone, with its changes and the ledger as they were written at the time."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(BOUGHT, {"account": account, "zone": zone})
        rows: list[Row] = []
        for version, (at, seats, day) in enumerate(CHANGES[zone]):
            key = 100 * account + version
            cursor.execute(
                "INSERT INTO subscriptions_change (id, account_id, version, by_id, at) VALUES (%s, %s, %s, 1, %s)",
                [key, account, version, at],
            )
            today = date.fromisoformat(day)
            outcome = rewrite(
                [row for row in rows if row.end is None or row.end > today],
                Held(1, seats, rank=seats) if seats else None,
                today=today,
            )
            for superseded in outcome.superseded:
                cursor.execute(
                    "UPDATE subscriptions_holding SET superseded_by_id = %s WHERE id = %s", [key, superseded]
                )
            rows = [row for row in rows if row.key not in outcome.superseded]
            for row in outcome.written:
                cursor.execute(
                    "INSERT INTO subscriptions_holding (account_id, item_id, slot, quantity, period, change_id) "
                    "VALUES (%s, 1, -1, %s, daterange(%s, %s), %s) RETURNING id",
                    [account, row.held.quantity, row.start, row.end, key],
                )
                rows.append(replace(row, key=cursor.fetchone()[0]))


def test_the_days_are_those_that_billing_used_and_the_way_back_keeps_the_guards(old: None) -> None:
    """One test for all, because migrations take long."""
    connection = connections[ALIAS]
    with connection.cursor() as cursor:
        cursor.execute(ROWS)
    for account, zone in enumerate(CHANGES, 10):
        buy(account, zone)
    call_command("migrate", database=ALIAS, verbosity=0, skip_checks=True)
    with connection.cursor() as cursor:
        for account, changes in enumerate(CHANGES.values(), 10):
            cursor.execute(
                "SELECT day::text FROM subscriptions_change WHERE account_id = %s ORDER BY version", [account]
            )
            assert [day for (day,) in cursor.fetchall()] == [day for _, _, day in changes]
        cursor.execute("SELECT account_id, activated_on FROM onboarding_onboarding WHERE account_id < 10 ORDER BY 1")
        assert cursor.fetchall() == [(1, date(2026, 7, 15)), (2, date(2026, 7, 15)), (3, date(2026, 7, 15))]
        cursor.execute("SELECT id, day FROM subscriptions_change WHERE account_id < 10 ORDER BY 1")
        assert cursor.fetchall() == [
            (1, date(2026, 7, 16)),  # the day in the ledger
            (2, date(2026, 7, 15)),  # the day in UTC, for a zone that isn't known
            (3, date(2026, 7, 15)),
            (4, date(2026, 7, 16)),
        ]
        cursor.execute("SELECT DISTINCT started_on FROM onboarding_historicalonboarding WHERE account_id < 10")
        assert cursor.fetchall() == [(date(2026, 7, 1),)]
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled NOT IN ('O', 'A')")
        assert cursor.fetchone() == (0,)
    there_is_no_guard_that_could_be_fooled_on_the_way_back()


def there_is_no_guard_that_could_be_fooled_on_the_way_back() -> None:
    """A function that a migration replaces loses its settings, and `migrate` refuses to run over such a guard."""
    for targets in ([("billing", "0008_records")], BEFORE, None):
        executor = MigrationExecutor(connections[ALIAS])
        executor.migrate(targets or executor.loader.graph.leaf_nodes())
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT proname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
                "WHERE NOT tgisinternal AND proname NOT LIKE 'procrastinate%' "
                "AND NOT EXISTS (SELECT FROM unnest(proconfig) s WHERE s LIKE 'search_path=%')"
            )
            assert cursor.fetchall() == []
