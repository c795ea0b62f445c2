"""Random histories of files, voids, takes, dismissals and bill runs, compared with a naive reading of the policy.

`FATES_EXAMPLES=5000 pytest tests/billing/calls/test_fates_by_hand.py` tries more examples than the suite does.
"""

import os
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, PhoneNumber, User
from billing.actions import dismiss_record, run_bills, take_record, void_record
from billing.calls import staging
from billing.calls.reconcile import reconciled
from billing.models import CallImport, CallRecord, Invoice, SetAsideCall
from core.refusals import AlreadyDone
from tests.billing.call_rows import HEADER, file_of, imported, row
from tests.billing.fatesbyhand import Books, Row

ZONE = ZoneInfo("America/New_York")
STARTS = [
    datetime(2026, 3, 20, 16, tzinfo=UTC),
    datetime(2026, 3, 20, 16, 5, tzinfo=UTC),
    datetime(2026, 4, 1, 3, 59, 59, tzinfo=UTC),  # still March in New York
    datetime(2026, 4, 1, 4, 0, 0, tzinfo=UTC),
]
RUNS = [
    (date(2026, 3, 1), datetime(2026, 4, 2, tzinfo=UTC)),
    (date(2026, 4, 1), datetime(2026, 5, 2, tzinfo=UTC)),
    (date(2026, 5, 1), datetime(2026, 6, 2, tzinfo=UTC)),
]
rows = st.builds(
    Row,
    call=st.sampled_from(["c1", "c1", "c2"]),
    leg=st.sampled_from(["", "", "1", "2"]),
    start=st.sampled_from(STARTS),
    seconds=st.sampled_from([0, 60, 60, 61, 600]),
)
places = st.integers(0, 20)
events = st.one_of(
    st.tuples(st.just("file"), st.lists(rows, min_size=1, max_size=7)),
    st.tuples(st.just("file"), st.lists(rows, min_size=1, max_size=7)),
    st.tuples(st.just("again"), places),
    st.tuples(st.just("void"), places),
    st.tuples(st.just("take"), places),
    st.tuples(st.just("dismiss"), places),
    st.tuples(st.just("bill"), places),
)
examples = settings(
    max_examples=int(os.environ.get("FATES_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Undo(Exception):
    """Raised at the end of an example, so that the next one starts with the same database."""


@examples
@given(history=st.lists(events, min_size=1, max_size=9), rows_a_part=st.sampled_from([1, 2, 100_000]))
def test_histories_are_those_of_the_naive_reading(
    answered: PhoneNumber, account: Account, biller: User, history: list[Any], rows_a_part: int
) -> None:
    usual, staging.ROWS = staging.ROWS, rows_a_part
    try:
        with transaction.atomic():
            live(account, biller, history)
            raise Undo
    except Undo:
        pass
    finally:
        staging.ROWS = usual


def live(account: Account, by: User, history: list[Any]) -> None:
    """Apply each event in the database and in the naive books, and compare the two after each."""
    books = Books(ZONE)
    files: list[list[Row]] = []
    runs = iter(RUNS)
    for what, value in history:
        if what == "file" or (what == "again" and files):
            files += [value] if what == "file" else [files[value % len(files)]]
            receive(books, files[-1])
        elif what == "void" and books.in_effect():
            chosen = books.in_effect()[value % len(books.in_effect())]
            void_record(stored(chosen), by=by, reason="Wrong")
            books.void(chosen)
        elif what in ("take", "dismiss"):
            waiting = [aside for aside in books.asides if aside.state == "open"]
            if waiting:
                decide(books, waiting[value % len(waiting)], what, by)
        elif what == "bill":
            for month, at in [next(runs, (None, None))]:
                if month and at:
                    bill(books, account, month, at)
        compare(books)
    for month, at in runs:
        bill(books, account, month, at)
    now = datetime.now(UTC)
    for month in (date(2026, 3, 1), date(2026, 4, 1), date(now.year, now.month, 1)):
        assert reconciled(month).adds_up


def receive(books: Books, file: list[Row]) -> None:
    lines = [f"{row(each.call, at=each.start.isoformat(), seconds=each.seconds)},{each.leg}" for each in file]
    received = imported(file_of(lines, header=f"{HEADER},leg"), within=partial(transaction.atomic))
    counts = Counter({name: getattr(received, name) for name in ("added", "zero", "repeated", "set_aside", "voided")})
    assert received.rows_read == sum(counts.values()) + 1
    assert +counts == books.receive(file)


def stored(chosen: Row) -> CallRecord:
    return CallRecord.objects.in_effect().get(call_id=chosen.call, leg=chosen.leg)


def decide(books: Books, aside: Any, what: str, by: User) -> None:
    chosen = aside.row
    kept = SetAsideCall.objects.get(
        state="open", call_id=chosen.call, leg=chosen.leg, started_at=chosen.start, seconds=chosen.seconds
    )
    if what == "dismiss":
        dismiss_record(kept, by=by, reason="A copy")
        aside.state = "dismissed"
        return
    try:
        take_record(kept, by=by, reason="Right")
        taken = True
    except AlreadyDone:
        taken = False
    assert books.take(aside) is taken


def bill(books: Books, account: Account, month: date, at: datetime) -> None:
    run_bills(month, accounts=[account.pk], now=at, hold_unusual=False)
    invoice = Invoice.objects.filter(account=account, month=month).first()
    assert (invoice.total if invoice else Decimal("0.00")) == books.bill(month)


def compare(books: Books) -> None:
    columns = ("call_id", "leg", "started_at", "seconds")
    by_hand = sorted((*record.row, record.is_voided) for record in books.records)
    assert sorted(CallRecord.objects.values_list(*columns, "is_voided")) == by_hand
    aside = sorted((*each.row, each.state) for each in books.asides)
    assert sorted(SetAsideCall.objects.values_list(*columns, "state")) == aside
    assert CallImport.objects.filter(finished_at=None).count() == 0
