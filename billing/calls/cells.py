"""Lines of a call file and their cells: how they are split and written, and which lines are not calls. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from billing.calls.values import Rejected
from core.csv_files import FORMULA

BYTE_ORDER_MARK = "\ufeff"
COMMA = ","
DELIMITERS = (COMMA, ";", "\t", "|")
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\Z', re.IGNORECASE)  # tells Excel the delimiter

TOTALS = {"total", "totals", "subtotal", "grand total", "sum", "summary", "total calls", "totales", "suma"}
SUM = re.compile(r"[$€]?[0-9.,: ]{1,9}\Z")  # too short for a telephone number
TYPE = re.compile(r"(?:INTEGER|BIGINT|UNIQUEIDENTIFIER|(?:VARCHAR|NVARCHAR|CHAR)\(\d+\))\Z", re.IGNORECASE)  # Cisco's
WORDS = re.compile(r"[^\W\d_]{2,}(?:[ \t]+\W*[^\W\d_]{2,})+\W*\Z")


class Unreadable(Exception):
    """A file that can't be read: a code, and a reason in one or two sentences that say what to do."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def fields_of(line: str, delimiter: str = COMMA) -> list[str]:
    """Return the cells of a line. Raises Rejected if its quotes don't match: it must not swallow the next line."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True))
    except csv.Error:
        raise Rejected("bad_csv", "The row is not CSV: its quotes don't match.") from None


def loose_fields_of(line: str, delimiter: str = COMMA) -> list[str]:
    """Return the cells of a line as well as possible, even if its quotes don't match, to recognize its layout."""
    try:
        return next(csv.reader((line,), delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def written(cells: Iterable[str]) -> str:
    """Return cells as a line of CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()


def plain(cell: str) -> str:
    """Return a cell without the apostrophe that keeps spreadsheets from reading it as a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell


def name_of(cell: str) -> str:
    """Return a column's name as it is compared: in lower case, without spaces or quotes around it."""
    return cell.strip(" \t'\"" + BYTE_ORDER_MARK).lower()


def names_of(cells: Iterable[str]) -> list[str]:
    """Return the names of columns as they are compared."""
    return [name_of(cell) for cell in cells]


def is_blank(line: str) -> bool:
    """Whether a line has only spaces, delimiters, empty quotes, or the character that ended files in DOS."""
    return not line.strip(' \t\r\x1a,;|"' + BYTE_ORDER_MARK)


def is_no_call(fields: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a row that could not be read is not a call: a repeated header, a banner, a line of types or a total.

    False for what may be a call that was cut off: it has to be rejected, so that somebody looks at it.
    """
    names = names_of(fields)
    filled = [name for name in names if name]
    if not filled or (len(filled) > 2 and filled == list(header[: len(filled)])):
        return True
    if len(filled) > 2 and all(TYPE.match(name) for name in filled):
        return True
    if filled[0].rstrip(": ") in TOTALS and all(SUM.match(name) for name in filled[1:]):
        return True
    return len(filled) == 1 and WORDS.match(filled[0]) is not None
