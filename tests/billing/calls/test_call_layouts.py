"""Asterisk's layout, and rejects that are corrected and imported again."""

import gzip
from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import PhoneNumber
from billing.calls.batches import BYTES, batches_of
from billing.calls.cells import Unreadable, fields_of, plain, written
from billing.calls.layouts import COLUMNS
from billing.calls.reading import BLOCK, LONGEST, blocks_of
from billing.calls.rejects import rejects_of
from billing.calls.values import Numbers
from billing.models import CallRecord
from core.csv_files import defused
from tests.billing.call_rows import asterisk_row, counts, file_of, imported, rejects, row

NEW_YORK = "America/New_York"
FIRST_ONE_THIRTY = int(datetime(2026, 11, 1, 5, 30, tzinfo=UTC).timestamp())


def started(unique_id: str) -> datetime:
    return CallRecord.objects.get(call_id=unique_id).started_at


def asterisk(*rows: str, header: bool = False) -> bytes:
    return file_of(rows, header=",".join(COLUMNS["asterisk"]) if header else None)


@pytest.mark.parametrize("header", [True, False])
def test_answered_calls_of_asterisk_go_in(answered: PhoneNumber, header: bool) -> None:
    rows = [
        asterisk_row("pbx-1773000000.1", start="2026-03-08 01:59:59", src="anonymous"),
        asterisk_row("pbx-1773000000.2", start="2026-03-08 03:00:00"),
        asterisk_row("pbx-1773000000.3", disposition="NO ANSWER", billsec=0),
        asterisk_row("pbx-1773000000.4", disposition="BUSY", dst="s"),
        asterisk_row("pbx-1773000000.5", dst="s"),
    ]
    received = imported(asterisk(*rows, header=header), zone=NEW_YORK)
    assert received.layout == "asterisk"
    assert counts(received) == (2, 0, 0, 2, 1)
    assert rejects(received) == [(5 + header, "bad_number")]
    assert started("pbx-1773000000.1") == datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC)
    assert started("pbx-1773000000.2") == datetime(2026, 3, 8, 7, 0, 0, tzinfo=UTC)


def test_a_time_that_clocks_skipped_is_told_in_words(answered: PhoneNumber) -> None:
    received = imported(asterisk(asterisk_row("1773000000.1", start="2026-03-08 02:30:00")), zone=NEW_YORK)
    assert rejects(received) == [(1, "nonexistent_time")]
    reason = received.rejects.get().reason
    assert reason.startswith("2026-03-08 02:30:00 never was in America/New_York: clocks went forward over it.")


@pytest.mark.parametrize(("later", "hour"), [(0, 5), (3600, 6), (3660, 6)])
def test_a_time_that_was_twice_is_decided_by_the_unique_id(answered: PhoneNumber, later: int, hour: int) -> None:
    unique_id = f"pbx1-{FIRST_ONE_THIRTY + later}.77"
    imported(asterisk(asterisk_row(unique_id, start="2026-11-01 01:30:00")), zone=NEW_YORK)
    assert started(unique_id) == datetime(2026, 11, 1, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize("unique_id", ["call-7", f"{FIRST_ONE_THIRTY + 1800}.1"])
def test_a_time_that_was_twice_and_is_not_decided_is_rejected_until_it_has_an_offset(
    answered: PhoneNumber, unique_id: str
) -> None:
    received = imported(asterisk(asterisk_row(unique_id, start="2026-11-01 01:30:00")), zone=NEW_YORK)
    assert rejects(received) == [(1, "ambiguous_time")]
    assert "was twice in America/New_York" in received.rejects.get().reason
    corrected = "".join(rejects_of(received)).replace("01:30:00", "01:30:00-05:00").encode()
    assert counts(imported(corrected, zone=NEW_YORK)) == (1, 0, 0, 0, 0)
    assert started(unique_id) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_rejects_are_rejected_again_until_they_are_corrected(answered: PhoneNumber) -> None:
    bad = [
        row("c1", seconds=-1),
        row("c2", to="0"),
        "c3,+18005550100",
        row("c4") + ",x",
        '"c5,',
        row("=c6", seconds="x"),
    ]
    content = file_of(bad) + b"c7,\xff,,,\n" + row("c\0008").encode()
    received = imported(content)
    assert received.rejected == 8
    again = imported("".join(rejects_of(received)).encode())
    assert counts(again) == (0, 0, 0, 0, 8)
    assert not CallRecord.objects.exists()
    corrected = "".join(rejects_of(again)).replace(",'-1,", ",1,").replace(",x,", ",1,")
    assert counts(imported(corrected.encode())) == (2, 0, 0, 0, 6)
    assert set(CallRecord.objects.values_list("call_id", flat=True)) == {"c1", "=c6"}


def test_asterisk_rows_without_an_id_do_not_get_one_from_their_line(answered: PhoneNumber) -> None:
    short = ",".join(fields_of(asterisk_row("1.1"))[:4])
    received = imported(asterisk(asterisk_row("1.1"), short), zone=NEW_YORK)
    assert rejects(received) == [(2, "missing_columns")]
    again = imported("".join(rejects_of(received)).encode(), zone=NEW_YORK)
    assert again.added == 0


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_of_the_rejects_is_a_formula(cell: str) -> None:
    assert defused(cell) == "'" + cell
    assert plain(defused(cell)) == cell
    assert plain("'" + "x") == "'x"


@given(
    st.lists(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\n\r\0")), min_size=1)
)
def test_a_line_that_is_written_is_read_as_it_was(cells: list[str]) -> None:
    assert fields_of(written(cells)) == cells


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_become_lines_with_their_numbers(data: bytes, size: int) -> None:
    class Slow:
        left = data

        def read(self, count: int) -> bytes:
            part, self.left = self.left[: min(count, size)], self.left[min(count, size) :]
            return part

    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or (b"\r" in data[:-1] and b"\n" not in data):
        return  # UTF-16, and lines that end with CR alone, are read as other lines than these
    try:
        blocks = list(blocks_of(Slow()))
    except Unreadable:
        return  # it begins like a file that is not text
    expected = data.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    lines = [line for block in blocks for line in block.lines]
    assert len(lines) == len(expected)
    assert not any("\0" in line for line in lines)


def test_a_line_without_end_takes_no_memory(answered: PhoneNumber) -> None:
    endless = b"x" * 3_000_000
    blocks = list(blocks_of(BytesIO(row("c1").encode() + b"\n" + endless + b"\n" + row("c2").encode())))
    lines = [line for block in blocks for line in block.lines]
    assert [len(line) < 1_000 for line in lines] == [True, True, True]
    assert [code for block in blocks for code, _ in block.bad.values()] == ["too_long"]


def test_gzip_is_read_as_what_is_in_it(answered: PhoneNumber) -> None:
    assert counts(imported(gzip.compress(file_of([row("c1")])))) == (1, 0, 0, 0, 0)
    two_members = gzip.compress(file_of([row("c1")])) + gzip.compress(row("c2").encode())
    assert counts(imported(two_members)) == (1, 0, 1, 0, 0)


def test_temporary_tables_are_not_seen_by_others(answered: PhoneNumber) -> None:
    imported([row("c1")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ '_call$|^called' AND schemaname !~ '^pg_temp'")
        assert cursor.fetchone() == (0,)


def test_a_batch_of_long_lines_is_short(answered: PhoneNumber) -> None:
    rows = [row(f"c{number}", caller="9" * 16_000) for number in range(2_000)]
    _, found = batches_of(blocks_of(BytesIO(file_of(rows))), None, numbers=Numbers("US"), zone=None)
    sizes = [(len(batch.staged), batch.size) for batch in found]
    assert sum(staged for staged, _ in sizes) == 2_000
    assert max(size for _, size in sizes) <= BYTES + BLOCK + LONGEST
