"""Runs `import_calls` in a separate process against the tests' database, in batches of 50,000 lines.

Arguments: the database, and those of the command. The last line of output is the process's peak memory in kilobytes.
"""

import os
import re
import resource
import sys
from pathlib import Path

import django


def main() -> None:
    database, *arguments = sys.argv[1:]
    import tests.environment  # noqa: F401, PLC0415 - the settings of tests, before Django reads them

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - once Django is set up
    from django.db import connection  # noqa: PLC0415

    from billing.calls import batches, staging  # noqa: PLC0415

    connection.settings_dict["NAME"] = database
    batches.ROWS = staging.ROWS = 50_000
    try:
        execute_from_command_line(["manage.py", "import_calls", *arguments])
    finally:
        sys.stdout.flush()
        print(most_memory(), flush=True)  # noqa: T201


def most_memory() -> int:
    """Return the peak memory of this process, in kilobytes.

    On Linux, it is read from /proc, because the maximum of `getrusage` includes the tests' process, the parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"^VmHWM:\s+([0-9]+) kB", status.read_text(), re.MULTILINE)[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


if __name__ == "__main__":
    main()
