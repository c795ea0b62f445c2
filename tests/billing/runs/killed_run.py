"""Runs a bill run in its own process on the tests' database, and kills it at a named point.

Arguments: the database, the point (or -), how often to pass it before, the accounts in a chunk, and the run's time.
"""

import os
import signal
import sys
from datetime import date, datetime

import django


def main() -> None:
    database, point, times, size, now = sys.argv[1:]
    import tests.environment  # noqa: F401, PLC0415 - the settings of tests, before Django reads them

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.db import connection  # noqa: PLC0415 - once Django is set up

    from billing.actions import run_bills  # noqa: PLC0415
    from billing.runs import chunk  # noqa: PLC0415

    connection.settings_dict["NAME"] = database
    left = [int(times)]

    def checkpoint(name: str) -> None:
        if name == point:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    chunk.checkpoint = checkpoint
    run_bills(date(2026, 3, 1), now=datetime.fromisoformat(now), chunk=int(size))


if __name__ == "__main__":
    main()
