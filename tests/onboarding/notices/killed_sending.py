"""Sends notices in a process of its own against the tests' database, and kills it at a named point.

Arguments: the database, the port of the mail server, the point (or -), and how often it is passed before.
"""

import os
import signal
import sys

import django


def main() -> None:
    database, port, point, times = sys.argv[1:]
    import tests.environment  # noqa: F401, PLC0415 - the settings of tests, before Django reads them

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    django.setup()
    from django.db import connection  # noqa: PLC0415 - once Django is set up

    from core.outbox import delivery  # noqa: PLC0415

    connection.settings_dict["NAME"] = database
    left = [int(times)]

    def checkpoint(name: str) -> None:
        if name == point:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    delivery.checkpoint = checkpoint
    delivery.send_due()


if __name__ == "__main__":
    main()
