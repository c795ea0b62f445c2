"""The worker processes of a bill run start, and use the database of the process that started them."""

import subprocess
import sys

import pytest
from django.db import connection

from billing.runs.workers import pool


def database(_: int = 0) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_workers_use_this_database_and_leave_its_connection_alone() -> None:
    before = database()
    with pool(2) as others:
        assert set(others.map(database, range(4))) == {before}
    assert database() == before


def test_a_new_process_can_import_the_workers_before_django_is_set_up() -> None:
    subprocess.run([sys.executable, "-c", "import billing.runs.workers"], check=True)
