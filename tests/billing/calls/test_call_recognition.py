"""Asterisk's files are recognized by the content of their columns, with a header or without; checks of a live feed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import PhoneNumber
from billing.calls.asterisk import CDR_CSV, CDR_CUSTOM
from billing.calls.cells import Unreadable, fields_of, written
from tests.billing.call_rows import asterisk_row, batch_of, ids, imported, legs, rejects, row


def asterisk(order: Sequence[str] = CDR_CSV, **more: str) -> list[str]:
    """Return the cells of a row, in the given order of Asterisk's columns."""
    values = dict(zip(CDR_CSV, fields_of(asterisk_row("1773000000.1")), strict=True))
    values |= {"peeraccount": "", "linkedid": "1773000000.1", "sequence": "9"} | more
    return [values[name] for name in order]


BASE = CDR_CSV[:16]
NEW = ("peeraccount", "linkedid", "sequence")
START = "2026-03-20T16:00:00Z"


@pytest.mark.parametrize(
    ("order", "leg"),
    [
        ((*BASE, "uniqueid"), START),
        ((*BASE, "uniqueid", "userfield"), START),
        ((*BASE, "uniqueid", *NEW), "9"),
        ((*BASE, "uniqueid", "userfield", *NEW), "9"),
        (CDR_CUSTOM, "9"),
        (CDR_CUSTOM[:17], START),
    ],
)
@pytest.mark.parametrize("has_header", [True, False])
def test_asterisk_is_known_by_what_its_columns_contain(order: Sequence[str], leg: str, has_header: bool) -> None:
    lines = [written(order)] if has_header else []
    batch = batch_of("\n".join([*lines, written(asterisk(order))]).encode())
    assert (batch.layout.name, ids(batch), legs(batch)) == ("asterisk", ["1773000000.1"], [leg])


@pytest.mark.parametrize("order", [BASE, (*BASE, "userfield"), (*BASE, *NEW), (*BASE, "userfield", *NEW)])
@pytest.mark.parametrize("has_header", [True, False])
def test_asterisk_without_an_id_is_refused_by_name(order: Sequence[str], has_header: bool) -> None:
    lines = [written(order)] if has_header else []
    with pytest.raises(Unreadable) as refusal:
        batch_of("\n".join([*lines, written(asterisk(order, userfield="a note"))]).encode())
    assert refusal.value.code == "no_unique_id"


@pytest.mark.parametrize("disposition", ["ANSWER", "8", "NORMAL_CLEARING", "UNKNOWN", "answered?", "CANCEL"])
@pytest.mark.parametrize("wanted", [None, "asterisk"])
def test_another_disposition_is_never_not_answered(disposition: str, wanted: str | None) -> None:
    strange = written(asterisk(disposition=disposition))
    with pytest.raises(Unreadable):
        batch_of(strange.encode(), wanted)
    for first in (written(CDR_CSV), asterisk_row("1773000000.2")):
        batch = batch_of(f"{first}\n{strange}\n".encode(), wanted)
        assert [(reject[0], reject[1]) for reject in batch.rejects] == [(2, "bad_disposition")]
        assert batch.not_answered == 0


def test_freeswitch_in_asterisks_columns_is_refused_as_freeswitch() -> None:
    cells = asterisk(disposition="NORMAL_CLEARING", uniqueid="01234567-4c15-11ea-97a0-9dd794100000")
    with pytest.raises(Unreadable) as refusal:
        batch_of(written(cells).encode())
    assert "FreeSWITCH's CSV" in str(refusal.value)
    assert "call_id=17, to=3, from=2, started_at=10, seconds=14" in str(refusal.value)


@pytest.mark.parametrize("disposition", ["NO ANSWER", "BUSY", "FAILED", "CONGESTION", "busy "])
def test_what_asterisk_calls_not_answered_is_counted_so(disposition: str) -> None:
    batch = batch_of(f"{asterisk_row('1773000000.1')}\n{written(asterisk(disposition=disposition))}\n".encode())
    assert (len(batch.staged), batch.not_answered, batch.rejects) == (1, 1, [])


def test_rows_of_another_width_are_read_by_their_own_columns() -> None:
    """Asterisk continues the same file after cdr.conf was changed."""
    orders = [(*BASE, "uniqueid"), CDR_CSV, (*BASE, "uniqueid", "userfield", *NEW), (*BASE, "userfield")]
    lines = [written(asterisk(order, userfield="note")) for order in orders]
    batch = batch_of("\n".join([*lines, written(asterisk() + ["x"] * 7)]).encode())
    assert legs(batch) == [START, START, "9"]
    assert [(reject[0], reject[1]) for reject in batch.rejects] == [(4, "no_call_id"), (5, "extra_columns")]


def test_freepbx_tells_the_number_that_was_dialed() -> None:
    names = ["calldate", "src", "dst", "did", "billsec", "disposition", "uniqueid", "sequence"]
    rows = [
        ["2026-03-20 12:00:00", "2125550111", "200", "8005550100", "61", "ANSWERED", "1773000000.1", "4"],
        ["2026-03-20 12:00:00", "2125550111", "8005550100", "", "61", "ANSWERED", "1773000000.2", ""],
    ]
    batch = batch_of("\n".join(map(written, [names, *rows])).encode())
    assert [line.split("\t")[3] for line in batch.staged] == ["+18005550100", "+18005550100"]
    assert legs(batch) == ["4", START]


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (moment,) = cursor.fetchone()
    return moment.astimezone(UTC)


def test_a_call_that_goes_on_or_is_too_long_is_rejected(answered: PhoneNumber, settings: Any) -> None:
    settings.CALL_LONGEST_HOURS = 3
    moment = now() - timedelta(hours=2)
    rows = [
        row("over", at=moment.isoformat(), seconds=7_200 + 500),  # ends within 10 minutes: the switch's clock is ahead
        row("on", at=moment.isoformat(), seconds=7_200 + 700),
        row("longest", seconds=10_800),
        row("longer", seconds=10_801),
        row("ahead", at=(now() + timedelta(minutes=5)).isoformat(), seconds=60),
        row("future", at=(now() + timedelta(minutes=11)).isoformat(), seconds=60),
    ]
    received = imported(rows)
    assert rejects(received) == [(3, "not_ended"), (5, "too_long_call"), (7, "in_future")]
    assert received.added == 3
    assert imported(rows, live=False).added == 2


def test_a_call_that_has_not_ended_comes_with_a_later_import(answered: PhoneNumber) -> None:
    moment = now() - timedelta(hours=2)
    rows = [row("on", at=moment.isoformat(), seconds=9_000)]
    assert rejects(imported(rows)) == [(2, "not_ended")]
    assert imported(rows, now=moment + timedelta(hours=3)).added == 1
