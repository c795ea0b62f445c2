"""How fast calls are imported, beside the limit: a bare COPY of the same rows, ready made, and one INSERT.

`python -m benchmarks.import_calls 500000` compares the two, alternating; with `--memory`, one import of that many rows
is measured alone, with the most memory the process took.
"""

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import django

ROUNDS = 3
TARGET = 0.6
CALLS_EACH = 100  # of an account
PART = 1 << 20

POPULATION = """
TRUNCATE billing_callrecord, billing_rejectedcall, billing_callimport, accounts_account, accounts_user CASCADE;
INSERT INTO accounts_user (id, email, password, is_superuser, is_staff, is_active, first_name, last_name, date_joined)
VALUES (1, 'bench@example.com', '!', true, true, true, '', '', now());
INSERT INTO accounts_account (id, number, company, timezone, created_at)
SELECT n, (100000 + n)::text, 'Company ' || n, 'America/New_York', '2020-01-01' FROM generate_series(1, {accounts}) n;
INSERT INTO accounts_phonenumber (id, account_id, number, kind)
SELECT n, n, '+1800' || 2000000 + n, 'toll_free' FROM generate_series(1, {accounts}) n;
INSERT INTO accounts_numberassignment (account_id, number_id, period, assigned_by_id)
SELECT n, n, tstzrange('2020-01-01', NULL), 1 FROM generate_series(1, {accounts}) n;
INSERT INTO billing_callimport (id, name, layout, added, unmatched, repeated, skipped, rejected)
VALUES (1000000, 'The limit', 'own', 0, 0, 0, 0, 0);
"""
COLUMNS = "call_id, number, caller, started_at, seconds, is_toll_free, received_in_id, account_id, day, matched_at"
STAGE = f"CREATE TEMPORARY TABLE bare AS SELECT {COLUMNS} FROM billing_callrecord WITH NO DATA"  # noqa: S608
INSERT = f"INSERT INTO billing_callrecord ({COLUMNS}) SELECT {COLUMNS} FROM bare ON CONFLICT DO NOTHING"  # noqa: S608


def calls(size: int) -> Iterator[tuple[str, int, str, str, int]]:
    """Yield id, account, caller, start in UTC and seconds of calls of October 2026, the earliest first."""
    accounts = accounts_of(size)
    for place in range(size):
        second = place * 2_500_000 // size
        day, rest = divmod(second, 86_400)
        start = f"2026-10-{day + 2:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        account = place * 7_919 % accounts + 1
        yield f"pbx1-{1_790_000_000 + second}.{place}", account, f"+1212555{place % 10_000:04}", start, place * 37 % 900


def accounts_of(size: int) -> int:
    return max(1, size // CALLS_EACH)


def write_files(folder: Path, size: int) -> tuple[Path, Path]:
    """Write the calls in our layout, and as the rows of COPY that they become."""
    own, bare = folder / "calls.csv", folder / "calls.copy"
    with own.open("w") as ours, bare.open("w") as ready:
        ours.write("call_id,to,from,started_at,seconds\n")
        for call_id, account, caller, start, seconds in calls(size):
            number = f"+1800{2_000_000 + account}"
            ours.write(f"{call_id},{number},{caller},{start}+00:00,{seconds}\n")
            known = f"t\t1000000\t{account}\t{start[:10]}\t2026-11-01 00:00:00+00"
            ready.write(f"{call_id}\t{number}\t{caller}\t{start}+00:00\t{seconds}\t{known}\n")
    return own, bare


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_calls", description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=300_000)
    parser.add_argument("--memory", action="store_true", help="one import, and the most memory it took")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks.machine import description, throw_away_database  # noqa: PLC0415 - once Django is set up

    with throw_away_database(), tempfile.TemporaryDirectory() as folder:
        own, bare = write_files(Path(folder), options.rows)
        machine = description()
        if options.memory:
            populate(options.rows)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            seconds = by_import(own)
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            facts = {"name": "import_calls_memory", "size": options.rows, "seconds": round(seconds, 2)}
            print(json.dumps({**facts, "before_mb": before // 1024, "most_mb": most // 1024, "machine": machine}))
            return
        taken: dict[str, list[float]] = {"limit": [], "import": []}
        ways = [("limit", lambda: by_bare_copy(bare)), ("import", lambda: by_import(own))]
        for number in range(ROUNDS):
            for name, way in ways if number % 2 == 0 else ways[::-1]:
                populate(options.rows)
                taken[name].append(way())
                check(options.rows)
                print(f"round {number + 1}, {name}: {options.rows / taken[name][-1]:,.0f} rows/s")
    limit, seconds = statistics.median(taken["limit"]), statistics.median(taken["import"])
    facts = {
        "name": "import_calls",
        "size": options.rows,
        "seconds": round(seconds, 3),
        "limit_seconds": round(limit, 3),
        "ratio": round(limit / seconds, 3),
        "machine": machine,
    }
    print(f"Target: {TARGET} of the limit or more.")
    print(json.dumps(facts))


def populate(size: int) -> None:
    """Empty the tables, and put in the accounts with a number each."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(POPULATION.format(accounts=accounts_of(size)))
        cursor.execute("ANALYZE")
        cursor.execute("CHECKPOINT")


def by_bare_copy(path: Path) -> float:
    from django.db import connection, transaction  # noqa: PLC0415

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
    from billing.calls.importing import import_calls  # noqa: PLC0415

    start = time.perf_counter()
    with path.open("rb") as file:
        received = import_calls(file, name=path.name, by=None)
    seconds = time.perf_counter() - start
    assert not received.rejected, received.rejected
    return seconds


def check(size: int) -> None:
    from billing.models import CallRecord  # noqa: PLC0415

    assert CallRecord.objects.charged().count() == size


if __name__ == "__main__":
    main()
