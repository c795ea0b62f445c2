"""Seconds, times, ids and numbers as people write them: they are read if they have only one meaning, or rejected."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.calls.times import LocalTimes, OffsetTimes, in_utc, moment_of
from billing.calls.values import Numbers, Rejected, call_id_of, seconds_of
from tests.billing.call_rows import ZONE, batch_of, file_of, ids, row


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("61", 61),
        ("61.0", 61),
        ("61.000001", 62),
        ("0.2", 1),
        ("0.0", 0),
        ("1234.", 1234),
        ("00:01:01", 61),
        ("26:00:00", 93_600),
    ],
)
def test_seconds_in_the_ways_they_are_written(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["1,234", "1 234", "1.234.567", "61s", "01:01", "1e3", "", "٣", "1:99:00", "-1.5", "1'234"]
)
def test_seconds_that_could_be_others_are_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        seconds_of(text)


def test_a_point_beside_semicolons_may_separate_thousands() -> None:
    batch = batch_of(file_of([row("c1", seconds="1.234"), row("c2", seconds="61.482913")]).replace(b",", b";"))
    assert ids(batch) == ["c2"]
    assert batch.rejects[0][1] == "bad_seconds"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1795194000", "2026-11-20T17:00:00Z"),
        ("1795194000.25", "2026-11-20T17:00:00.250000Z"),
        ("1795194000000", "2026-11-20T17:00:00Z"),
        ("1712011200000", "2024-04-01T22:40:00Z"),
        ("Fri, 20 Nov 2026 12:00:00 -0500", "2026-11-20T17:00:00Z"),
        ("2026-11-20 12:00:00 UTC", "2026-11-20T12:00:00Z"),
        ("2026-11-20T12:00:00\N{MINUS SIGN}05:00", "2026-11-20T17:00:00Z"),
        ("2026-11-20 12:00:00", "2026-11-20T17:00:00Z"),
        ("2026/11/20 12:00:00", "2026-11-20T17:00:00Z"),
        ("Nov 20, 2026 12:00:00 PM", "2026-11-20T17:00:00Z"),
        ("November 20, 2026 12:00 AM", "2026-11-20T05:00:00Z"),
        ("2026-11-20 1:05 pm", "2026-11-20T18:05:00Z"),
        ("2026-11-20 12:00:00.5", "2026-11-20T17:00:00.500000Z"),
    ],
)
def test_times_in_the_ways_they_are_written(text: str, moment: str) -> None:
    assert LocalTimes(ZONE).moment_of(text, "") == moment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("11/20/2026 12:00 PM", "the day or the month first"),
        ("20.11.2026 12:00", "the day or the month first"),
        ("46346.5", "day's number in a spreadsheet"),
        ("2026-11-20", "a day without a time"),
        ("20261120", "a day without a time"),
        ("2026-11-20T12:00:00 EST", "letters for its zone"),
        ("2026-11-20 13:00:00 PM", "no time in ISO 8601"),
        ("2026-11-20T12:00:60Z", "no time in ISO 8601"),
        ("Foo 20, 2026 12:00:00", "no time in ISO 8601"),
        ("yesterday", "no time in ISO 8601"),
    ],
)
def test_times_that_could_be_others_are_rejected_in_words(text: str, words: str) -> None:
    for read in (moment_of, lambda text: LocalTimes(ZONE).moment_of(text, "")):
        with pytest.raises(Rejected) as rejected:
            read(text)
        assert words in rejected.value.reason


WITH_OFFSET = [
    "2026-11-20T12:00:00-05:00",
    "2026-11-20T12:59:59-05:00",
    "2026-11-20T12:59:60-05:00",
    "2026-11-20T12:00:00+25:00",
    "2026-11-20T12:00:00.5-05:00",
    "2026-11-20T12:00:00.500000-05:00",
    "2026-11-20T12:30:00.500000-05:00",
    "2026-11-20T12:00-05:00",
    "2026-11-20T12-05:00",
    "2026-11-20 12:00:00-05:00",
    "2026-11-20T12:00:00Z",
    "2026-11-20T12:00:00",
    " 2026-11-20T12:00:00-05:00",
    "2026-02-30T12:00:00-05:00",
    "2026-11-20T24:00:00-05:00",
]


def _read(reader: Callable[[str], str], text: str) -> str:
    """Return the moment that was read, or the reason why it was rejected."""
    try:
        return reader(text)
    except Rejected as why:
        return why.reason


@given(st.lists(st.sampled_from(WITH_OFFSET), max_size=12))
def test_a_time_of_an_hour_that_is_known_is_read_as_any_other(texts: list[str]) -> None:
    times = OffsetTimes()
    for text in texts:
        assert _read(times.moment_of, text) == _read(moment_of, text)


@given(st.integers(100_000, 7_000_000_000), st.sampled_from(["UTC", "Asia/Kathmandu", "America/Caracas"]))
def test_a_local_time_is_the_instant_it_stands_for(second: int, name: str) -> None:
    zone = ZoneInfo(name)
    moment = datetime.fromtimestamp(second, zone).replace(tzinfo=None)
    assume(moment.replace(tzinfo=zone).utcoffset() == moment.replace(tzinfo=zone, fold=1).utcoffset())
    assume(moment.replace(minute=59, tzinfo=zone).utcoffset() == moment.replace(tzinfo=zone).utcoffset())
    times = LocalTimes(zone)
    for at in (moment, moment, moment.replace(minute=59, second=59)):  # a known hour is read differently
        read = times.moment_of(at.isoformat(" "), "")
        assert datetime.fromisoformat(read) == at.replace(tzinfo=zone)
        assert read == in_utc(at.replace(tzinfo=zone).isoformat())


@pytest.mark.parametrize("text", ["1.79519E+09", "1E+12", "1,79519E+09", "1.8e+09", "a\N{REPLACEMENT CHARACTER}b"])
def test_ids_that_a_spreadsheet_or_an_export_spoiled_are_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        call_id_of(text)
    assert call_id_of("1E12") == "1E12"


@pytest.mark.parametrize("text", ["1.84E+10", "1.8445550107E+10"])
def test_numbers_that_a_spreadsheet_rounded_are_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        Numbers("US").number_of(text)
    assert Numbers("US").number_of("18445550107.0") == "+18445550107"
