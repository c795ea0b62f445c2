"""Runs `import_calls` in its own process on the tests' database, and kills it at a named point.

Arguments: the database, the point (or -), how often to pass it before, the number of lines in a batch, and those of the
command. The last line of output is the most memory that the process used, in kilobytes.
"""

import os
import re
import resource
import signal
import sys
from pathlib import Path

import django


def main() -> None:
    database, point, times, rows, *arguments = sys.argv[1:]
    import tests.environment  # noqa: F401, PLC0415 - the settings of tests, before Django reads them

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - once Django is set up
    from django.db import connection  # noqa: PLC0415

    from billing.calls import batches, locking, staging  # noqa: PLC0415

    connection.settings_dict["NAME"] = database
    left = [int(times)]

    def checkpoint(name: str) -> None:
        if name == point:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    locking.checkpoint = checkpoint
    batches.ROWS = staging.ROWS = int(rows)
    try:
        execute_from_command_line(["manage.py", "import_calls", *arguments])
    finally:
        sys.stdout.flush()
        print(most_memory(), flush=True)  # noqa: T201


def most_memory() -> int:
    """Return the most memory that this process used, in kilobytes.

    The result of `getrusage` would include the tests' process, from which this one was started.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"^VmHWM:\s+([0-9]+) kB", status.read_text(), re.MULTILINE)[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


if __name__ == "__main__":
    main()
