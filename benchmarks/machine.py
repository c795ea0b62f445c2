"""Where a benchmark runs: a database of its own that is thrown away, and the machine it was measured on."""

import io
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from django.db import connection


@contextmanager
def throw_away_database() -> Iterator[None]:
    """Work in a new database with all migrations, and drop it at the end.

    Its name starts with `test_`: there, and only there, the guards let tables be emptied between the rounds.
    """
    connection.settings_dict["TEST"]["NAME"] = f"test_benchmarks_{os.getpid()}"
    before = connection.settings_dict["NAME"]
    with redirect_stdout(io.StringIO()):  # it says that the cache's table, which a migration made, is there
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def description() -> str:
    """Return the machine, the versions and the settings that matter, in one line."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('synchronous_commit')")
        server, commit = cursor.fetchone()
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    return f"{system}, Python {platform.python_version()}, PostgreSQL {server}, synchronous_commit {commit}"
