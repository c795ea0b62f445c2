"""Types of command-line arguments, which refuse what could not be used later, and JSON files that commands read."""

import argparse
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

YEARS: Final = range(2000, 3000)


def as_text(value: str) -> str:
    """Return the argument. Raises ArgumentTypeError if it has bytes that are not UTF-8, or a NUL."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{value!r} is not text in UTF-8") from None
    if "\0" in value:
        raise argparse.ArgumentTypeError(f"{value!r} has a NUL")
    return value


def shown(value: str) -> str:
    """Return the argument, with bytes that are not UTF-8 written out, for what is only compared and shown."""
    return value.encode("utf-8", "backslashreplace").decode()


def whole(first: int, last: int) -> Callable[[str], int]:
    """Return the type of a whole number from `first` to `last`."""

    def number(value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(last)) and first <= int(value) <= last):
            raise argparse.ArgumentTypeError(f"a whole number from {first:,} to {last:,} is needed, not {value[:20]!r}")
        return int(value)

    return number


def as_month(value: str) -> date:
    """Return the month in a text like `2026-10`, as its first day. Raises ArgumentTypeError for any other text."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", value)
    if not found or int(found[1]) not in YEARS:
        raise argparse.ArgumentTypeError(f"{value[:20]!r} is not a month; write it like 2026-10")
    return date(int(found[1]), int(found[2]), 1)


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises OSError if it can't be read, and ValueError if it isn't JSON in UTF-8.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
