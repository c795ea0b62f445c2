"""Runs statements that work on many rows, in the caller's transaction."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.db import connection

LINES_A_WRITE = 5_000


def run(statement: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def rows(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        fetched: list[tuple[Any, ...]] = cursor.fetchall()
        return fetched


def column(statement: str, parameters: Any = None) -> list[Any]:
    return [value for (value,) in rows(statement, parameters)]


def copy(target: str, lines: Iterable[str]) -> None:
    """Write lines in the text form of COPY to `target`, a table with or without a list of its columns."""
    left = iter(lines)
    into = f"COPY {target} FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(into) as writer:
        while part := "".join(islice(left, LINES_A_WRITE)):
            writer.write(part)
