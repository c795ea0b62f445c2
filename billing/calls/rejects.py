"""Rejected rows as a CSV that can be corrected and imported again: the file's layout, then line and reason."""

from collections.abc import Iterator, Sequence

from accounts.csv_files import defused
from billing.calls.cells import fields_of, written
from billing.calls.layouts import COLUMNS
from billing.calls.values import Rejected
from billing.models import CallImport, RejectedCall

NOT_CELLS = ("encoding", "nul", "too_long", "bad_csv")
ADDED = ("line", "reason")


def columns_of(received: CallImport) -> list[str]:
    """Return what the cells of an import's rejected rows are; imports of long ago did not note it."""
    return received.columns or list(COLUMNS[received.layout])


def rejects_of(received: CallImport, *, prefix: str = "", columns: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines of the CSV, its columns' names first. `prefix` goes before each reason.

    Those of several imports can be put in one file with `columns` that all have. No cell is a formula to a
    spreadsheet. A row that could not be taken apart is one cell, so that it is never taken as it is.
    """
    own = columns_of(received)
    columns = columns or own
    places = [own.index(column) if column in own else None for column in columns]
    yield written([*columns, *ADDED]) + "\r\n"
    rejects = RejectedCall.objects.filter(received_in=received).order_by("line", "pk")
    for reject in rejects.iterator(chunk_size=2_000):
        cells = _cells(reject)
        ordered = [cells[place] if place is not None and place < len(cells) else "" for place in places]
        row = [*ordered, str(reject.line), prefix + reject.reason, *cells[len(own) :]]
        yield written(map(defused, row)) + "\r\n"


def _cells(reject: RejectedCall) -> list[str]:
    if reject.code in NOT_CELLS:
        return [reject.content]
    try:
        return fields_of(reject.content)
    except Rejected:
        return [reject.content]
