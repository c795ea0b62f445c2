"""The speed of `activate_many` against a limit: one hand-written statement that does the same.

Both activate accounts, and write history and notices. They run alternately on new accounts in the same process; the
result is the ratio of their medians.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence

from django.db import connection, transaction
from rich.console import Console
from rich.table import Table

from accounts.models import Account, User
from benchmarks.machine import description, throw_away_database
from onboarding.actions import activate_many
from onboarding.models import Notice, NoticeKind, Onboarding

TARGET = 0.9

POPULATION = """
TRUNCATE accounts_account, accounts_historicalaccount, onboarding_historicalonboarding CASCADE;
INSERT INTO accounts_account (number, company, timezone)
    SELECT 100000000 + n, 'Company ' || n, 'America/New_York' FROM generate_series(1, {size}) n;
WITH born AS (
    INSERT INTO onboarding_onboarding (account_id, started_at, activated_from, reason)
    SELECT id, now() - interval '60 days', '', '' FROM accounts_account RETURNING *)
INSERT INTO onboarding_historicalonboarding
    (id, account_id, started_at, started_on, activated_from, reason, history_date, history_type)
    SELECT id, account_id, started_at, started_on, activated_from, reason, started_at, '+' FROM born;
INSERT INTO accounts_user (email, password, first_name, last_name, is_superuser, is_staff, is_active, date_joined)
    SELECT 'contact' || n || '@example.com', '!', '', '', false, false, true, now() FROM generate_series(1, {size}) n
    ON CONFLICT DO NOTHING;
-- Each account has an owner. Every second account has a billing manager, the owner of the account before it.
INSERT INTO accounts_contact (account_id, user_id, role)
    SELECT a.id, u.id, role FROM generate_series(1, {size}) n
    JOIN accounts_account a ON a.number = (100000000 + n)::text
    CROSS JOIN (VALUES ('owner', 0), ('billing', 1)) held (role, before)
    JOIN accounts_user u ON u.email = 'contact' || (n - before) || '@example.com'
    WHERE before = 0 OR n % 2 = 0;
"""

LIMIT = """
WITH activated AS (
    UPDATE onboarding_onboarding SET activated_at = now(),
        activated_on = (SELECT local_day('America/New_York', now())),
        activated_by_id = %s, activated_from = 'batch', reason = %s
    WHERE activated_at IS NULL RETURNING *),
history AS (
    INSERT INTO onboarding_historicalonboarding (id, account_id, started_at, started_on, activated_at, activated_on,
        activated_by_id, activated_from, reason, history_date, history_type, history_user_id, history_change_reason)
    SELECT id, account_id, started_at, started_on, activated_at, activated_on, activated_by_id, activated_from,
        reason, now(), '~', activated_by_id, 'Activated' FROM activated),
keyed AS (
    SELECT nextval('core_outgoingemail_id_seq') AS id, account_id, user_id, email FROM (
        SELECT DISTINCT c.account_id, c.user_id, u.email
        FROM activated a
        JOIN accounts_contact c ON c.account_id = a.account_id AND c.role IN ('owner', 'technical', 'billing')
        JOIN accounts_user u ON u.id = c.user_id AND u.is_active) contacts),
notices AS (
    INSERT INTO onboarding_notice (email_id, account_id, to_id, kind, occasion)
    SELECT id, account_id, user_id, 'activated', 'activated' FROM keyed)
INSERT INTO core_outgoingemail (id, kind, address, data)
SELECT id, 'onboarding.notice', email, '{}'::jsonb FROM keyed
"""

Way = Callable[[User, Sequence[int]], None]


def by_one_statement(by: User, accounts: Sequence[int]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LIMIT, [by.pk, "Measured"])


def by_activate_many(by: User, accounts: Sequence[int]) -> None:
    for outcome in activate_many(accounts, by=by, reason="Measured"):
        assert not outcome.refused, outcome.refused


def run(sizes: Sequence[int], rounds: int = 3) -> None:
    """Print a table and a line of JSON for each number of accounts."""
    console = Console()
    with throw_away_database():
        by = User.objects.create_superuser("bench@example.com")
        for size in sizes:
            _measure(console, by, size, rounds)


def _measure(console: Console, by: User, size: int, rounds: int) -> None:
    taken: dict[Way, list[float]] = {by_one_statement: [], by_activate_many: []}
    for number in range(rounds):
        console.print(f"Round {number + 1} of {rounds}, {size:,} accounts …", style="dim")
        # They take turns to go first, since the second one finds a warmer server.
        for way in list(taken)[:: 1 if number % 2 == 0 else -1]:
            taken[way].append(_seconds(way, by, size))
    limit, seconds = (statistics.median(taken[way]) for way in (by_one_statement, by_activate_many))
    machine = description()
    table = Table(title=f"Activation of {size:,} accounts\n{machine}")
    for column in ("", "seconds", "accounts/s", "of the limit"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row("one statement (the limit)", f"{limit:.3f}", f"{size / limit:,.0f}", "1.00")
    table.add_row("activate_many", f"{seconds:.3f}", f"{size / seconds:,.0f}", f"{limit / seconds:.2f}")
    console.print(table)
    console.print(f"Target: {TARGET} of the limit or more.", style="dim")
    facts = {
        "name": "activation",
        "size": size,
        "seconds": round(seconds, 4),
        "limit_seconds": round(limit, 4),
        "ratio": round(limit / seconds, 3),
        "machine": machine,
    }
    print(json.dumps(facts))


def _seconds(way: Way, by: User, size: int) -> float:
    """Return how many seconds it takes to activate `size` new accounts, after checking their history and notices."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(POPULATION.format(size=size))
        cursor.execute("ANALYZE")
        cursor.execute("CHECKPOINT")
    accounts = list(Account.objects.order_by("pk").values_list("pk", flat=True))
    start = time.perf_counter()
    way(by, accounts)
    seconds = time.perf_counter() - start
    assert Onboarding.objects.active().count() == size
    assert Onboarding.history.filter(history_type="~", history_user=by).count() == size
    assert Notice.objects.filter(kind=NoticeKind.ACTIVATED).count() == size + size // 2
    return seconds
