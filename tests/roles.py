"""Runs tests as one of the product's database roles, so that whatever a page, job or command does is allowed to it.

Set-up and clean-up run as the owner of the tests' database: fixtures, and what empties the tables. The test itself runs
as the role that `AS_ROLE` in `tests/marks.py` names for its file; the environment variable TEST_ROLE names one for all.
A test marked `owner` does what only an owner can.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.backends.signals import connection_created

from core.roles.names import Names
from tests.guarding import sql

OF_PROCESSES = "DATABASE_ROLE_OF_TEST"  # names the role that processes started by a test connect as
USING_DATABASE = {"db", "transactional_db", "_django_db_helper"}
_active: list[str] = []
_here = threading.local()  # each thread has its own connection


@cache
def may_be_made() -> bool:
    """Return whether the tests' role may make roles, as the embedded server's and CI's may."""
    return bool(sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0][0])


def names() -> Names:
    """Return the names of the roles of this process's database; its tables stay with the role that made them."""
    return Names.with_prefix(connection.settings_dict["NAME"], owner=_owner())


@cache
def _owner() -> str:
    return str(sql("SELECT session_user::text")[0][0])


def make_roles() -> None:
    """Make the roles of the tests' database; once for each process."""
    if may_be_made():
        call_command("make_roles", owner=names().owner, stdout=StringIO())


def of(item: pytest.Item) -> Any:
    """Return the block in which the test's own code runs: as its role, if it has one and uses the database."""
    mark = item.get_closest_marker("role")
    uses_database = USING_DATABASE.intersection(getattr(item, "fixturenames", ()))
    if mark is None or not uses_database or item.get_closest_marker("owner") or not may_be_made():
        return nullcontext()
    return as_role(mark.args[0])


@contextmanager
def as_role(part: str) -> Iterator[None]:
    """Run the block as `web`, `worker` or `report`, on this connection and on those that are opened meanwhile."""
    _active.append(getattr(names(), part))
    os.environ[OF_PROCESSES] = _active[-1]
    _become(_active[-1])
    try:
        yield
    finally:
        _active.pop()
        os.environ[OF_PROCESSES] = _active[-1] if _active else ""
        with suppress(DatabaseError):  # in a transaction that failed, the fixture's roll-back does it
            _become(_active[-1] if _active else "")


@contextmanager
def as_owner() -> Iterator[None]:
    """Run the block as the owner on this connection, in a test that otherwise runs as another role."""
    if not _active or getattr(_here, "is_owner", False):
        yield
        return
    _become("")
    _here.is_owner = True
    try:
        yield
    finally:
        _here.is_owner = False
        with suppress(DatabaseError):
            _become(_active[-1])


def _become(role: str) -> None:
    """Change the role of this connection, and drop the temporary tables, which another role could not write."""
    sql(f'SET ROLE "{role}"; DISCARD TEMP' if role else "SET ROLE NONE")


def _on_connecting(connection: Any, **kwargs: object) -> None:
    """Give the connections of threads and forks that a test starts the test's role too."""
    if _active:
        with connection.cursor() as cursor:
            cursor.execute(f'SET ROLE "{_active[-1]}"')


connection_created.connect(_on_connecting)
