"""Kills a process at any of its steps in the database, and compares what a second run makes of it, row by row.

A step is a statement, or the moment before or after a commit. Two runs never have the same keys and moments, so new
rows are compared by their order, and moments of the run by that they are of the run.
"""

import json
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime
from functools import cache
from itertools import zip_longest
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import Any

from django.apps import apps
from django.db import connection, models

from tests.forking import LONGEST, in_a_fork
from tests.guarding import sql
from tests.remembering import Rows

WRITES = ("INSERT", "UPDATE", "DELETE", "GRANT", "REVOKE")
BEFORE, AFTER = "before a commit", "after a commit"
CONNECTIONS = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
# What is computed from keys and moments; the documents of bill runs are compared by all that goes into it.
OF_KEYS = {("billing_invoicedocument", "digest"), ("billing_creditnotedocument", "digest")}
State = dict[str, list[dict[str, Any]]]


class Steps:
    """The steps of this process in the database. It dies before `last`, if any: a number, or the name of a step."""

    def __init__(self, last: int | str | None) -> None:
        self.last, self.names = last, list[str]()

    def happens(self, name: str) -> None:
        if self.last in (len(self.names), name):
            os.kill(os.getpid(), signal.SIGKILL)
        self.names.append(name)

    def watch(self) -> None:
        """Note each step of the connection from now on."""
        commit = connection._commit

        def commit_and_note() -> None:
            self.happens(BEFORE)
            commit()
            self.happens(AFTER)

        def execute_and_note(execute: Callable[..., Any], statement: str, *arguments: Any) -> Any:
            self.happens(" ".join(statement.split())[:60])
            return execute(statement, *arguments)

        connection.ensure_connection()
        connection._commit = commit_and_note
        connection.execute_wrappers.append(execute_and_note)


def run(
    work: Callable[[], object], dies_before: int | str | None = None, *, database: str = ""
) -> tuple[int, str, list[str]]:
    """Run `work` in a fork; return its exit status and output, and its steps if it came to its end.

    `database` is another one than the tests'. Returns only when the server has noticed that the fork's connections are
    gone, and with them their locks.
    """
    name = database or connection.settings_dict["NAME"]
    with TemporaryFile("w+") as noted:

        def noting() -> None:
            connection.settings_dict["NAME"] = name
            steps = Steps(dies_before)
            steps.watch()
            try:
                work()
            finally:
                json.dump(steps.names, noted)
                noted.flush()

        before = set(sql(CONNECTIONS, name))
        status, told = in_a_fork(noting)
        deadline = monotonic() + LONGEST
        while not before.issuperset(sql(CONNECTIONS, name)):
            assert monotonic() < deadline, "the server still has connections of the fork"
            sleep(0.01)
        noted.seek(0)
        return status, told, json.loads(noted.read() or "[]")


def points(steps: list[str]) -> list[int]:
    """Return where to kill: after the first commit, around the last one, and in the middle of the work.

    Without a transaction, each statement that writes is one.
    """
    found = [place for place, name in enumerate(steps) if name == BEFORE]
    found = found or [place for place, name in enumerate(steps) if name.startswith(WRITES)]
    wanted = {found[0] + 1, len(steps) // 2, found[-1], found[-1] + 1}
    return sorted(place for place in wanted if place < len(steps))


@cache
def references() -> dict[str, dict[str, str]]:
    """Return, by table, the columns that hold keys of another table, and its name; a history has those of its rows.

    Some have no foreign key in the database.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for table, column, other in sql(
        "SELECT conrelid::regclass::text, attname, confrelid::regclass::text FROM pg_constraint "
        "JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'f'"
    ):
        found[table][column] = other
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and not field.db_constraint:
                found[model._meta.db_table][field.column] = field.related_model._meta.db_table
        if recorded := getattr(model, "instance_type", None):
            found[model._meta.db_table][recorded._meta.pk.column] = recorded._meta.db_table
            for field in recorded._meta.concrete_fields:
                if isinstance(field, models.ForeignKey):
                    found[model._meta.db_table][field.column] = field.related_model._meta.db_table
    return found


@cache
def moments() -> dict[str, set[str]]:
    """Return the columns of each table that hold an instant."""
    found: dict[str, set[str]] = defaultdict(set)
    for table, column in sql(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE relkind = 'r' AND atttypid = 'timestamptz'::regtype"
    ):
        found[table].add(column)
    return found


def state(rows: Rows, before: Rows, *, since: datetime, but: Collection[str]) -> State:
    """Return the rows of all tables except those in `but`, comparable with those of another run.

    Keys of rows that were there `before` stay; any other is the row's place among the new ones of its table. Instants
    from `since` on are "now". Keys of rows in a table of `but` are left out.
    """
    places = {
        table: {
            pk: f"new {place}" for place, pk in enumerate(sorted(found.keys() - before[table].keys(), key=_in_order))
        }
        for table, found in rows.items()
    }

    def comparable(table: str, row: dict[str, Any], own: str) -> dict[str, Any]:
        described = {column: value for column, value in row.items() if (table, column) not in OF_KEYS}
        for column in moments()[table]:
            if described[column] and datetime.fromisoformat(described[column]) >= since:
                described[column] = "now"
        for column, other in {own: table, **references()[table]}.items():
            if other in but:
                described[column] = "left out"
            elif other in places and described[column] is not None:
                key = described[column]
                described[column] = places[other].get(str(key), key)
        return described

    keys = _keys()
    found: State = {}
    for table, texts in rows.items():
        if table not in but:
            ordered = sorted(texts, key=_in_order)
            found[table] = [comparable(table, json.loads(texts[pk]), keys[table]) for pk in ordered]
    return found


def differences(found: State, expected: State) -> list[str]:
    """Return where two states differ, a line for each value and each row that only one of them has."""
    lines = []
    for table, rows in expected.items():
        for place, (one, other) in enumerate(zip_longest(found[table], rows)):
            if one is None or other is None:
                lines.append(f"{table} {place}: {one} instead of {other}")
                continue
            lines += [
                f"{table} {place}: {column} is {one[column]!r} instead of {other[column]!r}"
                for column in other
                if one[column] != other[column]
            ]
    return lines


def _in_order(pk: str) -> tuple[int, str]:
    return (int(pk), "") if pk.isdigit() else (0, pk)


@cache
def _keys() -> dict[str, str]:
    """Return the column of each table's primary key."""
    return dict(
        sql(
            "SELECT conrelid::regclass::text, attname FROM pg_constraint "
            "JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'p'"
        )
    )
