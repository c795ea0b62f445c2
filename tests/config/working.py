"""Runs `manage.py worker` in its own process on the tests' database. Arguments: the database, and a mode.

Its bill run bills March in April, two accounts at a time, and a worker is considered dead after two seconds. In the
mode `stuck`, it hangs before it commits the second chunk. In the mode `failing`, its cleanup job fails.
"""

import os
import sys
from datetime import timedelta
from functools import partial
from importlib import import_module
from time import sleep

import django


def main() -> None:
    database, mode = sys.argv[1:]
    import tests.environment  # noqa: F401, PLC0415 - the settings of tests, before Django reads them

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["LOG_LEVEL"] = "INFO"
    django.setup()
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - once Django is set up
    from django.db import connection  # noqa: PLC0415
    from procrastinate.contrib.django import app  # noqa: PLC0415

    from billing import tasks as of_billing  # noqa: PLC0415
    from billing.runs import chunk  # noqa: PLC0415
    from core import tasks  # noqa: PLC0415
    from tests.billing.bills import IN_APRIL  # noqa: PLC0415

    automatic = import_module("billing.actions.run_bills_automatically")
    connection.settings_dict["NAME"] = database
    if role := os.environ.get("DATABASE_ROLE_OF_TEST"):  # tests/roles.py
        connection.settings_dict["OPTIONS"]["options"] += f" -c role={role}"
    app.worker_defaults.update(update_heartbeat_interval=0.3, fetch_job_polling_interval=0.3)
    tasks.rescue_stalled = partial(tasks.rescue_stalled, stalled_after=timedelta(seconds=2))
    automatic.run_bills = partial(automatic.run_bills, chunk=2)
    of_billing.run_bills_automatically = lambda now: automatic.run_bills_automatically(now=IN_APRIL)
    if mode == "stuck":
        passed = []

        def checkpoint(name: str) -> None:
            if name == "before commit":
                passed.append(name)
                while len(passed) == 2:
                    sleep(1)

        chunk.checkpoint = checkpoint
    if mode == "failing":

        def fail(*, now: object) -> None:
            raise RuntimeError("The disk is full")

        tasks.delete_what_expired = fail
    execute_from_command_line(["manage.py", "worker"])


if __name__ == "__main__":
    main()
