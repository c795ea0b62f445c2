"""CSV files for download, with cells that a spreadsheet can't mistake for formulas."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet evaluates a cell that starts with one of these


def defused(cell: str) -> str:
    """Return the cell, with an apostrophe in front if a spreadsheet would evaluate it as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def csv_response(name: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Return a response with the rows as a CSV file to download, with every text cell defused."""
    response = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    writer = csv.writer(response)
    writer.writerows([defused(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return response
