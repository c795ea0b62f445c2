"""Let several processes do everything at once to a few accounts, then check every invariant.

`python -m tests.attack --seconds 300 --seed 7`. Every few seconds the processes stop, and the invariants are checked.
Exit status 1 if one doesn't hold, if `check_billing` or the guards' check finds something, or if an action ends in
anything but success or a refusal; it prints what and the seed.
"""

import argparse
import multiprocessing
import os
import random
import sys
import threading
from collections import Counter
from typing import Any

from tests.attack.process import LONGEST_WAIT, set_up, work
from tests.own_database import own_database

PROCESSES = 4
DIFFERENCE = 1  # the exit status of check_billing
SLICE = 10  # seconds between two checks


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="how long (20)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="chooses the same deeds again")
    options = parser.parse_args()
    print(f"Seed {options.seed}")
    with own_database("attack") as url:
        os.environ["DATABASE_URL"] = url
        os.environ["BILL_HOLD_TOTAL_ABOVE"] = "100"  # so that there are bills on hold to decide about
        prepare()
        return attack(options.seconds, options.seed)


def prepare() -> None:
    """Set Django up, and make the demo's accounts, some of which have months that nobody has billed yet."""
    set_up()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from core.clock import database_now  # noqa: PLC0415
    from core.past import writing_history  # noqa: PLC0415
    from demo.provider import make_provider  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    with writing_history():
        make_provider(database_now())
    connection.close()


def attack(seconds: int, seed: int) -> int:
    """Run the processes, check when they pause, print what happened, and return the exit status."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES + 1)
    results: Any = context.Queue()
    slices = max(1, seconds // SLICE)
    length = seconds / slices
    processes = [
        context.Process(target=work, args=(f"{seed}-{place}", slices, length, barrier, results))
        for place in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    wrong: list[str] = []
    try:
        for _ in range(slices):
            barrier.wait(LONGEST_WAIT)  # they begin
            barrier.wait(length + LONGEST_WAIT)  # they have stopped
            wrong += check()
        barrier.wait(LONGEST_WAIT)
    except threading.BrokenBarrierError:
        wrong.append("A process ended, or hung.")
    done: Counter[tuple[str, str]] = Counter()
    for _ in processes:
        counts, failures = results.get(timeout=LONGEST_WAIT)
        done.update(counts)
        wrong += failures
    for process in processes:
        process.join(LONGEST_WAIT)
    wrong += check_thoroughly()
    report(done)
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


def check() -> list[str]:
    from django.db import connection  # noqa: PLC0415

    from tests.attack.invariants import broken  # noqa: PLC0415

    found = broken()
    connection.close()
    return found


def check_thoroughly() -> list[str]:
    """Return what the product's own checks find: differences between what was billed and is owed, and guards."""
    from io import StringIO  # noqa: PLC0415

    from django.core.management import CommandError, call_command  # noqa: PLC0415

    from billing.actions import run_bills  # noqa: PLC0415
    from core.clock import database_now  # noqa: PLC0415
    from core.guards import check_guards  # noqa: PLC0415
    from tests.attack.deeds import ended_months  # noqa: PLC0415

    found = check()
    for month in reversed(ended_months(database_now())):
        run_bills(month, hold_unusual=False)
    said = StringIO()
    try:
        call_command("check_billing", stdout=said, stderr=said)
    except CommandError as error:
        if error.returncode == DIFFERENCE:  # 2 would be months that nobody billed, like those before the history
            found.append(f"check_billing: {error} {said.getvalue()[-600:]}")
    found += [str(message) for message in check_guards(databases=["default"])]
    return found + check()


def report(done: Counter[tuple[str, str]]) -> None:
    from tests.attack.invariants import BROKEN  # noqa: PLC0415

    outcomes = ["done", "refused", "busy", "failed"]
    print(f"{'':12}" + "".join(f"{outcome:>9}" for outcome in outcomes))
    for name in sorted({name for name, _ in done}):
        print(f"{name:12}" + "".join(f"{done[name, outcome]:9}" for outcome in outcomes))
    total = sum(done.values())
    print(f"{total} actions by {PROCESSES} processes; {len(BROKEN)} queries for invariants.")


if __name__ == "__main__":
    sys.exit(main())
