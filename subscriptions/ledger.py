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

    `rows` are the place's valid rows that reach `today` or a later day. The days before today stay as they are. The
    other arguments are those of `turn_of`, which says from which day `wanted` counts.
    """
    existing = sorted(rows, key=lambda row: row.start)
    turn = turn_of(existing, wanted, today=today, day_begins=day_begins, reductions_wait=reductions_wait)
    pieces = [Row(row.held, row.start, today) for row in existing if row.start < today]
    counted_today = held_on(existing, today)
    if counted_today is not None and turn > today:
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


def turn_of(
    rows: Iterable[Row],
    wanted: Held | None,
    *,
    today: date,
    day_begins: bool = False,
    reductions_wait: bool = False,
) -> date:
    """Return the day from which `wanted` counts when it is held from this moment of `today` on.

    With `reductions_wait` a smaller item waits for the 1st of the next month, otherwise for tomorrow; but if what is
    charged of this day begins only at this moment (`day_begins`), the larger one is not charged today, and the smaller
    counts at once. Anything that is not smaller counts today.
    """
    counted_today = held_on(rows, today)
    if counted_today is None or (wanted is not None and wanted.rank >= counted_today.rank):
        return today
    if reductions_wait:
        return first_of_next_month(today)
    return today if day_begins else today + timedelta(days=1)


def held_on(rows: Iterable[Row], day: date) -> Held | None:
    """Return what counts as held on a day, by the rows of one place; None if nothing does."""
    return next((row.held for row in rows if row.start <= day and (row.end is None or row.end > day)), None)


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
