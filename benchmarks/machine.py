"""The environment of a benchmark: a temporary database, and a description of the machine."""

import io
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from django.db import connection


@contextmanager
def throw_away_database() -> Iterator[None]:
    """Use a new database with all migrations within the block, and drop it at the end.

    Its name starts with `test_`, because only in such databases the guards allow tables to be truncated between rounds.
    """
    connection.settings_dict["TEST"]["NAME"] = f"test_benchmarks_{os.getpid()}"
    before = connection.settings_dict["NAME"]
    with redirect_stdout(io.StringIO()):  # it prints that the cache's table, made after migrating, already exists
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def description() -> str:
    """Return the machine, the versions and the relevant settings in one line."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('synchronous_commit')")
        server, commit = cursor.fetchone()
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    return f"{system}, Python {platform.python_version()}, PostgreSQL {server}, synchronous_commit {commit}"
