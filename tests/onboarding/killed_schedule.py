"""Runs what happens by itself in a process of its own against the tests' database, and kills it at a named point.

Arguments: the database, the verb, the point (or -), how often it is passed before, accounts in a chunk, and the moment.
"""

import os
import signal
import sys
from datetime import datetime

import django


def main() -> None:
    database, verb, point, times, chunk, now = sys.argv[1:]
    import tests.environment  # noqa: F401, PLC0415 - the settings of tests, before Django reads them

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["ONBOARDING_DEADLINE_DAYS"] = "60"
    django.setup()
    from django.db import connection  # noqa: PLC0415 - once Django is set up

    from onboarding import actions  # noqa: PLC0415
    from onboarding.actions import activation, nightly  # noqa: PLC0415

    connection.settings_dict["NAME"] = database
    left = [int(times)]

    def checkpoint(name: str) -> None:
        if name == point:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    activation.checkpoint = nightly.checkpoint = checkpoint  # type: ignore[assignment]
    for _ in getattr(actions, verb)(now=datetime.fromisoformat(now), chunk=int(chunk)):
        pass


if __name__ == "__main__":
    main()
