"""Rejected rows as a CSV that can be corrected and imported again: the file's layout, then line and reason."""

from collections.abc import Iterator

from accounts.csv_files import defused
from billing.calls.layouts import COLUMNS, fields_of, written
from billing.calls.values import Rejected
from billing.models import CallImport, RejectedCall

NOT_CELLS = ("encoding", "nul", "too_long", "bad_csv")
ADDED = ("line", "reason")


def rejects_of(received: CallImport, *, prefix: str = "") -> Iterator[str]:
    """Yield the lines of the CSV, its columns' names first. `prefix` goes before each reason.

    No cell is a formula to a spreadsheet. A row that could not be taken apart is one cell, so that it is never
    taken as it is.
    """
    columns = COLUMNS[received.layout]
    yield written([*columns, *ADDED]) + "\r\n"
    rejects = RejectedCall.objects.filter(received_in=received).order_by("line", "pk")
    for reject in rejects.iterator(chunk_size=2_000):
        cells = _cells(reject)
        room = [""] * (len(columns) - len(cells))
        row = [*cells[: len(columns)], *room, str(reject.line), prefix + reject.reason, *cells[len(columns) :]]
        yield written(map(defused, row)) + "\r\n"


def _cells(reject: RejectedCall) -> list[str]:
    if reject.code in NOT_CELLS:
        return [reject.content]
    try:
        return fields_of(reject.content)
    except Rejected:
        return [reject.content]
