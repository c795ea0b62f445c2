"""How a change rewrites the dated ledger: pure arithmetic on days, without queries or a clock.

By the billing policy, the quantity of a day is the highest held at any time of the day, likewise the largest storage
and package of the day count (3), and a smaller package takes effect on the 1st of the next month (10).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Held:
    """A quantity of an item. Of two in one slot of the ledger, the one with the higher `rank` is the larger."""

    item: int
    quantity: int
    rank: int


@dataclass(frozen=True)
class Row:
    """What counts as held in one slot of the ledger from `start` until `end` (exclusive), or if None, until changed."""

    held: Held
    start: date
    end: date | None
    key: int | None = None

    @property
    def span(self) -> tuple[Held, date, date | None]:
        """The content of the row without its key."""
        return (self.held, self.start, self.end)


@dataclass(frozen=True)
class Rewrite:
    """What a change does to one slot: the keys of the rows that it supersedes, and the rows that it writes instead."""

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
    """Return how a slot of the ledger changes when, at some time of `today`, `wanted` replaces what is held in it.

    `wanted` is None if nothing is held any longer. `rows` are the slot's valid rows that include `today` or a later
    day. Days before today stay as they are. The other arguments are those of `turn_of`, which decides from which day
    `wanted` counts.
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
    """Return the day from which `wanted` counts if it is chosen at some time of `today`.

    Anything that is not smaller than what counts today counts today. Anything smaller counts from tomorrow, or with
    `reductions_wait` from the 1st of the next month. The exception is `day_begins`, when nothing held earlier today is
    charged: then it counts today unless `reductions_wait`.
    """
    counted_today = held_on(rows, today)
    if counted_today is None or (wanted is not None and wanted.rank >= counted_today.rank):
        return today
    if reductions_wait:
        return first_of_next_month(today)
    return today if day_begins else today + timedelta(days=1)


def held_on(rows: Iterable[Row], day: date) -> Held | None:
    """Return what counts as held on a day according to the rows of one slot, or None if nothing does."""
    return next((row.held for row in rows if row.start <= day and (row.end is None or row.end > day)), None)


def first_of_next_month(day: date) -> date:
    """Return the 1st of the month after that of the day."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _joined(pieces: Sequence[Row]) -> list[Row]:
    """Return the pieces, which are in order of their days, with adjacent ones that hold the same merged."""
    joined: list[Row] = []
    for piece in pieces:
        if joined and joined[-1].held == piece.held and joined[-1].end == piece.start:
            joined[-1] = Row(piece.held, joined[-1].start, piece.end)
        else:
            joined.append(piece)
    return joined
