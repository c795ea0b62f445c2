"""The speed of the bill run against its limit, `benchmarks.by_hand`: with one worker, two workers, and nothing left to
bill.

All run alternately on the same accounts. In between, their results are compared line by line and deleted. The results
are the ratios of the medians.
"""

import json
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from django.db import connection
from rich.console import Console
from rich.table import Table

from benchmarks.accounts import CALLS, MONTH, populate
from benchmarks.by_hand import bill_by_hand
from benchmarks.machine import description, throw_away_database
from billing.actions.run_bills import run_bills
from billing.runs.chunk import CHUNK

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
TARGETS = {"one worker": "0.8", "two workers": "1", "nothing left": "1"}
NOTHING_LEFT = 0.02  # a run with nothing left to bill should take at most this part of a full run

WRITTEN = (
    "billing_billedmonth, billing_invoiceline, billing_invoice, billing_invoicedocument, billing_counter, "
    "billing_billrun, billing_delivery, core_outgoingemail"
)
RESULT = """
SELECT i.account_id, i.month AS billed, i.total, i.line_count, l.kind, l.sku, l.month, l.first, l.last, l.quantity,
    l.unit_price, l.amount, l.per_seat, l.minutes, l.included, l.package_minutes, l.invoiced
FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id
"""
COUNTS = """
SELECT (SELECT count(*) FROM billing_billedmonth), (SELECT count(*) FROM billing_invoice),
    (SELECT count(*) FROM billing_invoiceline), (SELECT sum(total) FROM billing_invoice),
    (SELECT max(number) FROM billing_invoice), (SELECT count(*) FROM billing_invoicedocument),
    (SELECT count(*) FROM billing_delivery), (SELECT count(*) FROM core_outgoingemail)
"""


def run(sizes: Sequence[int], rounds: int = 3) -> None:
    """Print a table and lines of JSON for each number of accounts, and compare the time for an account between them."""
    console = Console()
    cost: dict[int, float] = {}
    with throw_away_database():
        machine = description()
        for size in sizes:
            cost[size] = _measure(console, machine, size, rounds) / size
            dearest = max(cost.values()) / min(cost.values())
            if len(cost) > 1:
                facts = {"name": "bill_run_cost", "sizes": list(cost), "dearest_to_cheapest": round(dearest, 3)}
                print(json.dumps(facts))


def _measure(console: Console, machine: str, size: int, rounds: int) -> float:
    """Measure the run over `size` accounts, and return the median time with one worker in seconds."""
    console.print(f"Making {size:,} accounts …", style="dim")
    populate(size)
    ways: dict[str, Callable[[], object]] = {
        "by hand (the limit)": lambda: bill_by_hand(size, MONTH, NOW, CHUNK),
        "one worker": lambda: run_bills(MONTH, now=NOW),
        "two workers": lambda: run_bills(MONTH, now=NOW, workers=2),
    }
    taken: dict[str, list[float]] = {name: [] for name in [*ways, "nothing left"]}
    counts: tuple = ()
    ways["by hand (the limit)"]()
    _execute(f"DROP TABLE IF EXISTS expected; CREATE TABLE expected AS {RESULT}; ANALYZE expected")
    for number in range(rounds):
        # They take turns to go first, since the next one finds a warmer server.
        for place in range(len(ways)):
            name = list(ways)[(place + number) % len(ways)]
            _execute(f"TRUNCATE {WRITTEN} CASCADE; CHECKPOINT")
            taken[name].append(_seconds(ways[name]))
            found = _rows(COUNTS)[0]
            assert not counts or counts == found, (name, counts, found)
            counts = found
            if number == 0:
                _compare(name)
            if name == "one worker":
                taken["nothing left"].append(_seconds(ways[name]))
                assert _rows(COUNTS)[0] == counts
            console.print(f"Round {number + 1} of {rounds}, {name}: {taken[name][-1]:.2f} s", style="dim")
    _report(console, machine, size, counts, taken)
    return statistics.median(taken["one worker"])


def _report(console: Console, machine: str, size: int, counts: tuple, taken: dict[str, list[float]]) -> None:
    limit = statistics.median(taken["by hand (the limit)"])
    limits = dict.fromkeys(taken, limit) | {"nothing left": NOTHING_LEFT * statistics.median(taken["one worker"])}
    most = [resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    rows = f"{size:,} accounts, {size * CALLS:,} calls; {counts[1]:,} invoices with {counts[2]:,} lines, ${counts[3]:,}"
    table = Table(title=f"Bill run\n{rows}\n{machine}")
    for column in ("", "seconds", "accounts/s", "of the limit", "to reach"):
        table.add_column(column, justify="left" if not column else "right")
    for name, each in taken.items():
        seconds = statistics.median(each)
        ratio = limits[name] / seconds
        table.add_row(name, f"{seconds:.3f}", f"{size / seconds:,.0f}", f"{ratio:.2f}", TARGETS.get(name, ""))
    console.print(table)
    console.print(f"Peak memory of this process: {most[0]} MB, of a worker: {most[1]} MB (target: 150).")
    for name in TARGETS:
        seconds = statistics.median(taken[name])
        facts = {
            "name": f"bill_run, {name}",
            "size": size,
            "seconds": round(seconds, 4),
            "limit_seconds": round(limits[name], 4),
            "ratio": round(limits[name] / seconds, 3),
            "most_mb": most[name == "two workers"],
            "machine": machine,
        }
        print(json.dumps(facts))


def _compare(name: str) -> None:
    """Check that the invoices have exactly the lines of those made by hand."""
    for one, other in ((RESULT, "TABLE expected"), ("TABLE expected", RESULT)):
        differs = _rows(f"({one}) EXCEPT ALL ({other}) LIMIT 3")
        assert not differs, (name, differs)


def _seconds(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _rows(query: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
