"""Rejected rows: stored once however often they come, and exported as CSV to be corrected and imported again."""

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Q

from billing.calls.cells import fields_of, written
from billing.calls.layouts import COLUMNS
from billing.calls.sql import copy, rows, run
from billing.calls.staging import REJECT_COLUMNS, Part, within
from billing.calls.values import Rejected
from billing.models import CallImport, RejectedCall
from core.csv_files import defused

NOT_CELLS = ("encoding", "nul", "too_long", "bad_csv")
ADDED = ("line", "reason")

# A row that an earlier file had is recognized by its content. If it was dismissed, it stays dismissed; if an earlier
# file settled it, it stays settled. If it is open, it is the same reject, unless the reason is now another one. If this
# file settled it, it is open again: it was settled by another record of its call, because the file has both.
KEEP = """
    WITH earlier AS (
        SELECT n.line,
            bool_or(r.state = 'dismissed' OR (r.state = 'settled' AND r.settled_in_id <> %(call_import)s))
                AS is_decided,
            min(r.id) FILTER (WHERE r.state = 'open' AND r.code = n.code) AS same,
            array_agg(r.id) FILTER (WHERE r.state = 'open' AND r.code <> n.code) AS others
        FROM new_reject n JOIN billing_rejectedcall r
            ON md5(r.content) = md5(n.content) AND r.content = n.content AND r.received_in_id < %(call_import)s
        GROUP BY n.line
    ), seen AS (
        UPDATE billing_rejectedcall r SET seen_in_id = %(call_import)s
        FROM (SELECT DISTINCT same FROM earlier) e WHERE r.id = e.same
    ), replaced AS (
        UPDATE billing_rejectedcall r SET state = 'settled', settled_in_id = %(call_import)s, decided_at = now()
        FROM (SELECT DISTINCT unnest(others) AS id FROM earlier WHERE same IS NULL) e WHERE r.id = e.id
    ), kept AS (
        INSERT INTO billing_rejectedcall (received_in_id, line, code, reason, content, call_id, leg)
        SELECT %(call_import)s, n.line, n.code, n.reason, n.content, n.call_id, n.leg
        FROM new_reject n LEFT JOIN earlier e ON e.line = n.line
        WHERE e.line IS NULL OR (e.same IS NULL AND (e.others IS NOT NULL OR NOT e.is_decided)) ORDER BY n.line
        RETURNING line
    )
    SELECT count(*) FILTER (WHERE e.line IS NULL OR e.same IS NOT NULL OR e.others IS NOT NULL OR NOT e.is_decided),
        count(*) FILTER (WHERE e.is_decided AND e.same IS NULL AND e.others IS NULL)
    FROM new_reject n LEFT JOIN earlier e ON e.line = n.line
"""


def stage_rejects(rejects: Part | Iterable[str]) -> None:
    """Fill `new_reject` with rejects: a part of `staged_reject`, or lines in the text form of COPY."""
    run("TRUNCATE new_reject")
    if isinstance(rejects, tuple):
        run(f"INSERT INTO new_reject SELECT s.* FROM staged_reject s WHERE {within(rejects, 's')}")  # noqa: S608
    else:
        copy(f"new_reject {REJECT_COLUMNS}", rejects)


def keep_rejects(call_import: int) -> tuple[int, int]:
    """Store the rejects in `new_reject` that no earlier file had.

    Return how many of all are open, and how many had been decided before.
    """
    rejected, repeated = rows(KEEP, {"call_import": call_import})[0]
    return rejected, repeated


def columns_of(received: CallImport) -> list[str]:
    """Return the columns of an import's rejected rows. Old imports did not store theirs and have their layout's."""
    return received.columns or list(COLUMNS[received.layout])


def rejects_of(received: CallImport, *, prefix: str = "", columns: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines of an import's rejects as CSV, with a header. `prefix` is put before each reason.

    To put several imports into one file, give the same `columns` for each. No cell is a formula to a spreadsheet. A row
    that could not be split is a single cell, so that it can't be imported unchanged.
    """
    own = columns_of(received)
    columns = columns or own
    places = [own.index(column) if column in own else None for column in columns]
    yield written([*columns, *ADDED]) + "\r\n"
    rejects = RejectedCall.objects.filter(Q(call_import=received) | Q(seen_in=received)).order_by("line", "pk")
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
