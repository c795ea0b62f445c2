"""The speed of importing calls against a limit: a bare COPY of the same rows, already converted, and one INSERT.

Both run alternately on the same calls, ten to each account's toll-free number. `run_alone` measures only the import,
and the peak memory of the process.
"""

import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from django.db import connection, transaction
from rich.console import Console
from rich.table import Table

from benchmarks.accounts import CALLS
from benchmarks.machine import description, throw_away_database
from billing.calls.importing import import_calls
from billing.models import CallRecord
from core.past import writing_history

TARGET = 0.75
MOST_MB = 200
PART = 1 << 20

POPULATION = """
TRUNCATE billing_callrecord, billing_callvoid, billing_setasidecall, billing_rejectedcall, billing_callimport,
    accounts_account, accounts_user CASCADE;
INSERT INTO accounts_user (id, email, password, is_superuser, is_staff, is_active, first_name, last_name, date_joined)
VALUES (1, 'bench@example.com', '!', true, true, true, '', '', now());
INSERT INTO accounts_account (id, number, company, timezone, created_at)
SELECT n, (100000 + n)::text, 'Company ' || n, 'America/New_York', '2020-01-01' FROM generate_series(1, {accounts}) n;
INSERT INTO accounts_phonenumber (id, account_id, number, kind)
SELECT n, n, '+1800' || 2000000 + n, 'toll_free' FROM generate_series(1, {accounts}) n;
INSERT INTO accounts_numberassignment (account_id, number_id, period, assigned_by_id)
SELECT n, n, tstzrange('2020-01-01', NULL), 1 FROM generate_series(1, {accounts}) n;
INSERT INTO billing_callimport (id, name, layout, added, unmatched, repeated, rejected)
VALUES (1000000, 'The limit', 'own', 0, 0, 0, 0);
"""
COLUMNS = "call_id, leg, number, caller, started_at, seconds, is_toll_free, received_in_id, account_id, day, matched_at"
STAGE = f"CREATE TEMPORARY TABLE bare AS SELECT {COLUMNS} FROM billing_callrecord WITH NO DATA"  # noqa: S608
INSERT = f"INSERT INTO billing_callrecord ({COLUMNS}) SELECT {COLUMNS} FROM bare ON CONFLICT DO NOTHING"  # noqa: S608


def calls(accounts: int) -> Iterator[tuple[str, int, str, str, int]]:
    """Yield the id, account, caller, start in UTC and seconds of calls of October 2026, earliest first."""
    rows = accounts * CALLS
    for place in range(rows):
        second = place * 2_500_000 // rows
        day, rest = divmod(second, 86_400)
        start = f"2026-10-{day + 2:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        account = place * 7_919 % accounts + 1
        yield (
            f"pbx1-{1_790_000_000 + second}.{place}",
            account,
            f"+1212555{place % 10_000:04}",
            start,
            1 + place * 37 % 900,
        )


def write_files(folder: Path, accounts: int) -> tuple[Path, Path]:
    """Write the calls in our own layout, and as rows for COPY, and return both paths."""
    own, bare = folder / "calls.csv", folder / "calls.copy"
    with own.open("w") as ours, bare.open("w") as ready:
        ours.write("call_id,to,from,started_at,seconds\n")
        for call_id, account, caller, start, seconds in calls(accounts):
            number = f"+1800{2_000_000 + account}"
            ours.write(f"{call_id},{number},{caller},{start}+00:00,{seconds}\n")
            day = int(start[8:10]) - (start[11:13] < "04")  # in New York, four hours behind
            known = f"t\t1000000\t{account}\t2026-10-{day:02}\t2026-11-01 00:00:00+00"
            ready.write(f"{call_id}\t\t{number}\t{caller}\t{start}+00:00\t{seconds}\t{known}\n")
    return own, bare


def run(sizes: Sequence[int], rounds: int = 3) -> None:
    """Print a table and a line of JSON for each number of accounts."""
    console = Console()
    with throw_away_database():
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                _measure(console, size, rounds, *write_files(Path(folder), size))


def run_alone(sizes: Sequence[int], rounds: int = 1) -> None:
    """Print a line of JSON for each number of accounts: the time of one import, and the peak memory so far."""
    with throw_away_database():
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                own, _ = write_files(Path(folder), size)
                populate(size)
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                seconds = by_import(own)
                most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            facts = {"name": "import_alone", "size": size, "rows": size * CALLS, "seconds": round(seconds, 2)}
            memory = {"before_mb": before // 1024, "most_mb": most // 1024, "limit_mb": MOST_MB}
            print(json.dumps({**facts, **memory, "machine": description()}))


def _measure(console: Console, size: int, rounds: int, own: Path, bare: Path) -> None:
    ways: dict[str, Callable[[], float]] = {
        "bare COPY and INSERT (the limit)": lambda: by_bare_copy(bare),
        "import_calls": lambda: by_import(own),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        # They take turns to go first, since the second one finds a warmer server.
        for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
            populate(size)
            taken[name].append(ways[name]())
            assert CallRecord.objects.charged().count() == size * CALLS
            console.print(f"Round {number + 1} of {rounds}, {name}: {taken[name][-1]:.2f} s", style="dim")
    limit, seconds = (statistics.median(taken[name]) for name in ways)
    machine = description()
    table = Table(title=f"Import of {size * CALLS:,} calls to {size:,} accounts\n{machine}")
    for column in ("", "seconds", "rows/s", "of the limit", "to reach"):
        table.add_column(column, justify="right" if column else "left")
    for name, median in zip(ways, (limit, seconds), strict=True):
        rate = f"{size * CALLS / median:,.0f}"
        table.add_row(
            name, f"{median:.3f}", rate, f"{limit / median:.2f}", str(TARGET) if name == "import_calls" else ""
        )
    console.print(table)
    facts = {
        "name": "import_calls",
        "size": size,
        "rows": size * CALLS,
        "seconds": round(seconds, 4),
        "limit_seconds": round(limit, 4),
        "ratio": round(limit / seconds, 3),
        "machine": machine,
    }
    print(json.dumps(facts))


def populate(accounts: int) -> None:
    """Empty the tables, and create the accounts with one number each."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        with writing_history():  # the numbers were assigned years ago
            cursor.execute(POPULATION.format(accounts=accounts))
        cursor.execute("ANALYZE")
        cursor.execute("CHECKPOINT")


def by_bare_copy(path: Path) -> float:
    start = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor, path.open("rb") as file:
        cursor.execute(STAGE)
        with cursor.copy(f"COPY bare ({COLUMNS}) FROM STDIN") as copy:
            while part := file.read(PART):
                copy.write(part)
        cursor.execute(INSERT)
        cursor.execute("DROP TABLE bare")
    return time.perf_counter() - start


def by_import(path: Path) -> float:
    start = time.perf_counter()
    with path.open("rb") as file:
        received = import_calls(file, name=path.name, by=None)
    seconds = time.perf_counter() - start
    assert not received.rejected, received.rejected
    return seconds
