"""Reads account numbers from a file or from standard input: a list, or the worklist as it is exported."""

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import CommandError

STANDARD_INPUT = Path("-")
HEADER = "account"  # the title of the worklist's column of account numbers
LONGEST_HEADER = 10_000
DELIMITERS = ",;\t"  # a spreadsheet may save the file with another one than the worklist's


def read_numbers(path: Path) -> list[str]:
    """Return the account numbers of a file, or of standard input if the path is `-`.

    The file has one number a line, where # starts a comment, or is a CSV file with a column `account`, like the
    worklist's. Raises CommandError if it can't be read, is no text in UTF-8, or names no account.
    """
    name = "Standard input" if path == STANDARD_INPUT else f"The file {path}"
    try:
        content = _bytes_of(path)
    except OSError as error:
        raise CommandError(f"{name} can't be read: {error.strerror}.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not a text file in UTF-8.") from error
    if "\0" in text:
        raise CommandError(f"{name} is not a text file in UTF-8.")
    delimiter = _delimiter_of(text)
    numbers = list(_column(text, delimiter, name) if delimiter else _lines(text))
    if not numbers:
        raise CommandError(f"{name} names no account.")
    return numbers


def _bytes_of(path: Path) -> bytes:
    if path != STANDARD_INPUT:
        return path.read_bytes()
    return sys.stdin.buffer.read() if sys.stdin else b""


def _delimiter_of(text: str) -> str:
    """Return what separates the cells of a CSV file with a column of account numbers, or nothing for a plain list."""
    first = next((line for line in text.splitlines() if line.strip()), "")[:LONGEST_HEADER]
    for delimiter in DELIMITERS:
        if HEADER in _titles(next(csv.reader([first], delimiter=delimiter), [])):
            return delimiter
    return ""


def _titles(cells: list[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if number := line.partition("#")[0].strip():
            yield number


def _column(text: str, delimiter: str, name: str) -> Iterator[str]:
    """Yield the cells of the column of account numbers. Raises CommandError for a row that has none."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        place = _titles(next(row for row in rows if any(map(str.strip, row)))).index(HEADER)
        for row in rows:
            number = row[place].strip() if place < len(row) else ""
            if number:
                yield number
            elif any(map(str.strip, row)):
                raise CommandError(
                    f"{name} has no account number in line {rows.line_num}. Fill it in or remove the line."
                )
    except csv.Error as error:
        raise CommandError(f"{name} can't be read as CSV in line {rows.line_num}: {error}.") from error
