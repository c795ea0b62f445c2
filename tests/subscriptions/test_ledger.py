"""`ledger.rewrite`: compared with an independent implementation of billing policy 2, 3 and 10."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriptions.ledger import Held, Rewrite, Row, first_of_next_month, rewrite

FEW, MORE, MANY = (Held(item=1, quantity=n, rank=n) for n in (2, 5, 9))
SMALL, LARGE = Held(item=10, quantity=1, rank=501), Held(item=11, quantity=1, rank=2501)


def day(number: int) -> date:
    """Return a day of March 2026; 32 is the 1st of April."""
    return date(2026, 3, 1) + timedelta(days=number - 1)


def row(held: Held, start: int, end: int | None, key: int | None = None) -> Row:
    return Row(held, day(start), None if end is None else day(end), key)


@pytest.mark.parametrize(
    ("rows", "wanted", "expected"),
    [
        pytest.param([], FEW, Rewrite([], [row(FEW, 10, None)]), id="the first counts at once"),
        pytest.param([], None, Rewrite([], []), id="nothing stays nothing"),
        pytest.param([row(FEW, 1, None, 7)], FEW, Rewrite([], []), id="the same writes nothing"),
        pytest.param(
            [row(FEW, 1, None, 7)],
            MORE,
            Rewrite([7], [row(FEW, 1, 10), row(MORE, 10, None)]),
            id="more counts from today",
        ),
        pytest.param(
            [row(MORE, 1, None, 7)],
            FEW,
            Rewrite([7], [row(MORE, 1, 11), row(FEW, 11, None)]),
            id="less counts from tomorrow",
        ),
        pytest.param([row(MORE, 1, None, 7)], None, Rewrite([7], [row(MORE, 1, 11)]), id="none counts from tomorrow"),
        pytest.param(
            [row(MORE, 10, None, 7)],
            FEW,
            Rewrite([7], [row(MORE, 10, 11), row(FEW, 11, None)]),
            id="what was bought today counts today",
        ),
        pytest.param(
            [row(MORE, 1, 11, 7), row(FEW, 11, None, 8)],
            MORE,
            Rewrite([7, 8], [row(MORE, 1, None)]),
            id="taken back on the same day it goes on as it was",
        ),
        pytest.param(
            [row(MORE, 1, 11, 7), row(FEW, 11, None, 8)],
            MANY,
            Rewrite([7, 8], [row(MORE, 1, 10), row(MANY, 10, None)]),
            id="more than before on the day of a reduction",
        ),
        pytest.param([row(MORE, 1, 11, 7)], None, Rewrite([], []), id="ended already"),
        pytest.param(
            [row(MORE, 1, 11, 7)], FEW, Rewrite([], [row(FEW, 11, None)]), id="a smaller one again after the end"
        ),
    ],
)
def test_a_place_where_less_counts_from_tomorrow(rows: list[Row], wanted: Held | None, expected: Rewrite) -> None:
    assert rewrite(rows, wanted, today=day(10)) == expected


@pytest.mark.parametrize(
    ("rows", "wanted", "today", "expected"),
    [
        pytest.param(
            [row(LARGE, 1, None, 7)],
            SMALL,
            10,
            Rewrite([7], [row(LARGE, 1, 32), row(SMALL, 32, None)]),
            id="a smaller package waits for the 1st",
        ),
        pytest.param(
            [row(LARGE, 1, None, 7)],
            SMALL,
            1,
            Rewrite([7], [row(LARGE, 1, 32), row(SMALL, 32, None)]),
            id="chosen on the 1st it waits for the next",
        ),
        pytest.param(
            [row(LARGE, 1, None, 7)],
            SMALL,
            31,
            Rewrite([7], [row(LARGE, 1, 32), row(SMALL, 32, None)]),
            id="chosen on the last day it starts tomorrow",
        ),
        pytest.param(
            [row(LARGE, 1, 32, 7), row(SMALL, 32, None, 8)],
            LARGE,
            10,
            Rewrite([7, 8], [row(LARGE, 1, None)]),
            id="a waiting one is taken back",
        ),
        pytest.param(
            [row(LARGE, 1, 32, 7), row(SMALL, 32, None, 8)],
            FEW,
            10,
            Rewrite([8], [row(FEW, 32, None)]),
            id="a later choice replaces a waiting one",
        ),
        pytest.param(
            [row(SMALL, 1, None, 7)],
            LARGE,
            10,
            Rewrite([7], [row(SMALL, 1, 10), row(LARGE, 10, None)]),
            id="a larger package counts at once",
        ),
    ],
)
def test_a_place_where_reductions_wait(rows: list[Row], wanted: Held, today: int, expected: Rewrite) -> None:
    assert rewrite(rows, wanted, today=day(today), reductions_wait=True) == expected


@pytest.mark.parametrize(
    ("of", "first"),
    [
        (date(2026, 1, 31), date(2026, 2, 1)),
        (date(2026, 12, 1), date(2027, 1, 1)),
        (date(2028, 2, 29), date(2028, 3, 1)),
        (date(2026, 4, 30), date(2026, 5, 1)),
    ],
)
def test_the_first_of_the_next_month(of: date, first: date) -> None:
    assert first_of_next_month(of) == first


# From here on: random histories, evaluated day by day as the policy says.

START, DAYS = date(2026, 1, 20), 75
Choice = tuple[int, int | None]  # the number of days after START, and the rank of what is wanted, or None for nothing
History = Sequence[Choice]


def thing(rank: int | None) -> Held | None:
    return None if rank is None else Held(item=rank, quantity=1, rank=rank)


def highest_of_each_day(history: History) -> list[int | None]:
    """Policy 3: the quantity of a day is the highest held at any time of that day."""
    counted: list[int | None] = []
    held: int | None = None
    for number in range(DAYS):
        moments = [held, *(rank for on, rank in history if on == number)]
        held = moments[-1]
        counted.append(max((rank for rank in moments if rank is not None), default=None))
    return counted


def package_of_each_day(history: History) -> list[int | None]:
    """Policy 10: an upgrade counts at once, a downgrade from the next 1st; a later choice replaces one that waits."""
    counted: list[int | None] = []
    effective: int | None = None
    waiting: int | None = None
    for number in range(DAYS):
        if (START + timedelta(days=number)).day == 1 and waiting is not None:
            effective, waiting = waiting, None
        for rank in (rank for on, rank in history if on == number):
            assert rank is not None
            if effective is None or rank >= effective:
                effective, waiting = rank, None
            else:
                waiting = rank
        counted.append(effective)
    return counted


def ledger_after(history: History, *, reductions_wait: bool) -> list[Row]:
    """Return the valid rows after all choices, checking after each rewrite what it must keep."""
    keys = count(1)
    valid: list[Row] = []
    for on, rank in history:
        today = START + timedelta(days=on)
        reaching = [row for row in valid if row.end is None or row.end > today]
        outcome = rewrite(reaching, thing(rank), today=today, reductions_wait=reductions_wait)
        before = counted_by(valid, until=on)
        assert set(outcome.superseded) <= {row.key for row in reaching}
        valid = [row for row in valid if row.key not in outcome.superseded]
        valid += [Row(row.held, row.start, row.end, next(keys)) for row in outcome.written]
        assert counted_by(valid, until=on) == before, "the past was changed"
        assert rewrite(
            [row for row in valid if row.end is None or row.end > today],
            thing(rank),
            today=today,
            reductions_wait=reductions_wait,
        ) == Rewrite([], []), "wanting the same again changed something"
    return valid


def counted_by(rows: Sequence[Row], until: int = DAYS) -> list[int | None]:
    """Return what counts on each day according to the rows, which must not overlap or be empty."""
    counted: list[int | None] = []
    assert all(row.end is None or row.start < row.end for row in rows)
    for number in range(until):
        on = START + timedelta(days=number)
        covering = [row.held.rank for row in rows if row.start <= on and (row.end is None or on < row.end)]
        assert len(covering) <= 1
        counted.append(covering[0] if covering else None)
    return counted


def histories(ranks: st.SearchStrategy[int | None]) -> st.SearchStrategy[list[Choice]]:
    return st.lists(st.tuples(st.integers(0, DAYS - 1), ranks), max_size=12).map(
        lambda choices: sorted(choices, key=lambda choice: choice[0])
    )


@pytest.mark.parametrize(
    ("ranks", "reductions_wait", "read"),
    [
        pytest.param(st.none() | st.integers(1, 5), False, highest_of_each_day, id="seats, channels, storage"),
        pytest.param(st.integers(0, 4), True, package_of_each_day, id="packages"),
    ],
)
def test_any_history_counts_each_day_as_the_policy_says(
    ranks: st.SearchStrategy[int | None], reductions_wait: bool, read: Callable[[History], list[int | None]]
) -> None:
    @settings(max_examples=400, deadline=None)
    @given(histories(ranks))
    def holds(history: list[Choice]) -> None:
        assert counted_by(ledger_after(history, reductions_wait=reductions_wait)) == read(history)

    holds()
