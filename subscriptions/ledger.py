"""How a change is written into the dated ledger: pure arithmetic over days, no query and no clock.

billing-policy.md: a day's quantity is the highest held at any moment of it (3), the largest storage and package of the
day count likewise, and a package's downgrade waits for the 1st of the next month (10).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Held:
    """A quantity of an item; `rank` says which of two in one place of the ledger is the larger."""

    item: int
    quantity: int
    rank: int


@dataclass(frozen=True)
class Row:
    """What counts as held in one place of the ledger from `start` until `end`, exclusive; None: until changed."""

    held: Held
    start: date
    end: date | None
    key: int | None = None

    @property
    def span(self) -> tuple[Held, date, date | None]:
        """What the row says, whatever its key."""
        return (self.held, self.start, self.end)


@dataclass(frozen=True)
class Rewrite:
    """What a change does to one place: keys of the rows it supersedes, and the rows it writes instead."""

    superseded: Sequence[int]
    written: Sequence[Row]


def rewrite(
    rows: Iterable[Row],
    wanted: Held | None,
    *,
    today: date,
    day_begins: bool = False,
    reductions_wait: bool = False,
) -> Rewrite:
    """Return how a place of the ledger changes when `wanted` is held from this moment of `today` on; None: nothing is.

    `rows` are the place's valid rows that reach `today` or a later day. The days before today stay as they are. With
    `reductions_wait` a smaller item waits for the 1st of the next month, else for tomorrow; but where `day_begins`
    with this moment, the larger one was held at no moment of today, and the smaller counts at once.
    """
    existing = sorted(rows, key=lambda row: row.start)
    counted_today = next((row.held for row in existing if row.start <= today), None)
    pieces = [Row(row.held, row.start, today) for row in existing if row.start < today]
    turn = today
    if counted_today is not None and (wanted is None or wanted.rank < counted_today.rank):
        if reductions_wait:
            turn = first_of_next_month(today)
        elif not day_begins:
            turn = today + timedelta(days=1)
        if turn > today:
            pieces.append(Row(counted_today, today, turn))
    if wanted is not None:
        pieces.append(Row(wanted, turn, None))
    desired = _joined(pieces)
    already = {row.span for row in existing}
    kept = {row.span for row in desired}
    return Rewrite(
        superseded=[row.key for row in existing if row.span not in kept and row.key is not None],
        written=[row for row in desired if row.span not in already],
    )


def first_of_next_month(day: date) -> date:
    """Return the 1st of the month after the day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _joined(pieces: Sequence[Row]) -> list[Row]:
    """Return the pieces, in order of their days, with neighbours that hold the same made one."""
    joined: list[Row] = []
    for piece in pieces:
        if joined and joined[-1].held == piece.held and joined[-1].end == piece.start:
            joined[-1] = Row(piece.held, joined[-1].start, piece.end)
        else:
            joined.append(piece)
    return joined
