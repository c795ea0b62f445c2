"""CSV files for download, with cells that a spreadsheet can't mistake for formulas."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

from django.http import HttpResponse, StreamingHttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet evaluates a cell that starts with one of these

PHONE_NUMBER = re.compile(r"\+[0-9]{5,15}")


def defused(cell: str) -> str:
    """Return the cell, with an apostrophe in front if a spreadsheet would evaluate it as a formula.

    A phone number like `+18005550100` is only a number.
    """
    return f"'{cell}" if cell.startswith(FORMULA) and not PHONE_NUMBER.fullmatch(cell) else cell


def csv_line(cells: Sequence[object]) -> str:
    """Return the cells as a line of a CSV file, with every text cell defused."""
    buffer = StringIO()
    csv.writer(buffer).writerow([defused(cell) if isinstance(cell, str) else cell for cell in cells])
    return buffer.getvalue()


def streamed_csv(name: str, rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Return a response with the rows as a CSV file to download, sent row by row, so that there may be millions."""
    return StreamingHttpResponse(
        map(csv_line, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def csv_response(name: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Return a response with the rows as a CSV file to download, with every text cell defused."""
    response = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    writer = csv.writer(response)
    writer.writerows([defused(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return response
