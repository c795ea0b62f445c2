"""The ways in which call files are compressed and written. Every line read has one fate, and every refusal says why."""

import bz2
import codecs
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from contextlib import suppress
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import PhoneNumber
from billing.calls import containers
from billing.calls.batches import batches_of
from billing.calls.cells import Unreadable, is_no_call
from billing.calls.reading import blocks_of
from billing.calls.values import Numbers
from billing.models import CallImport, CallRecord
from tests.billing.call_rows import HEADER, NOON, ZONE, asterisk_row, batch_of, file_of, ids, imported, legs, row

PLAIN = file_of([row("c1"), row("c2")])


def zipped(*names: str, content: bytes = PLAIN) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("calls.csv")
        member.size = len(PLAIN)
        archive.addfile(member, io.BytesIO(PLAIN))
    return buffer.getvalue()


PACKED = [
    gzip.compress(PLAIN),
    bz2.compress(PLAIN),
    bz2.compress(PLAIN[:60]) + bz2.compress(PLAIN[60:]),
    lzma.compress(PLAIN),
    lzma.compress(PLAIN) + b"\0\0\0\0",
    zipped("calls.csv"),
    zipped("folder/calls.csv", "__MACOSX/._calls.csv"),
    zipped("calls.csv.gz", content=gzip.compress(PLAIN)),
    codecs.BOM_UTF16_LE + PLAIN.decode().encode("utf-16-le"),
    codecs.BOM_UTF16_BE + PLAIN.decode().encode("utf-16-be"),
    PLAIN.decode().encode("utf-16-be"),
    gzip.compress(PLAIN.decode().encode("utf-16")),
    b"\xef\xbb\xbf" + PLAIN,
    PLAIN.replace(b"\n", b"\r"),
    PLAIN.replace(b"\n", b"\r\n") + b"\x1a",
    b"sep=;\n" + PLAIN.replace(b",", b";"),
    b'\xef\xbb\xbf"sep=|"\r\n' + PLAIN.replace(b",", b"|"),
]


# Numbered ids: compressed files contain the time, so the processes that collect the tests would differ in their ids.
@pytest.mark.parametrize("content", PACKED, ids=range(len(PACKED)))
def test_whatever_it_is_packed_in_the_calls_are_read(content: bytes) -> None:
    batch = batch_of(content)
    assert ids(batch) == ["c1", "c2"]
    assert not batch.rejects


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel workbook (xlsx). Save the sheet as CSV"),
        (zipped("mimetype", "content.xml"), "OpenDocument spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "Excel workbook (xls)"),
        (zipped("a.csv", "b.csv"), "zip archive with 2 files in it. Unpack it"),
        (gzip.compress(tarred()), "tar archive. Unpack it"),
        (gzip.compress(zipped("a.csv")), "zip archive. Unpack it"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(PLAIN)))), "packed more than 2 times"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z archive"),
        (b"Rar!\x1a\x07\x01\0", "rar archive"),
        (b"\x28\xb5\x2f\xfd\0", "compressed with zstd"),
        (b"SQLite format 3\0", "SQLite database"),
        (b"PAR1\0", "Parquet file"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b'{"calls": []}\n', "The file is JSON."),
        (b"<!DOCTYPE html>\n<html>", "a web page (HTML)"),
        (b"\n<?xml version='1.0'?>\n", "The file is XML."),
        (b"INSERT INTO cdr VALUES (1, 'x', 'y')\n", "The file is SQL."),
        (lzma.compress(PLAIN)[:-30], "can't be read to its end"),
        (bz2.compress(PLAIN)[:-10], "can't be read to its end"),
        (zipped("calls.csv")[:-40], "can't be read to its end"),
        (b"\x1a", "The file is empty."),
        (b"sep=;\n", "The file is empty."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_call_file_is_refused_by_its_kind(content: bytes, words: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        batch_of(content)
    assert words in str(refusal.value)


def test_a_zip_can_be_read_from_a_file_alone(db: None) -> None:
    class Pipe:
        left = zipped("calls.csv")

        def read(self, size: int) -> bytes:
            part, self.left = self.left[:size], self.left[size:]
            return part

    with pytest.raises(Unreadable) as refusal:
        list(blocks_of(Pipe()))
    assert refusal.value.code == "archive"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_file_that_breaks_off_is_refused_as_a_whole(answered: PhoneNumber, pack: Any) -> None:
    whole = pack(file_of(row(f"c{number}", caller=str(random.Random(number).random())) for number in range(60_000)))
    with pytest.raises(ValidationError) as refusal:
        imported(whole[: len(whole) * 3 // 4])
    assert "can't be read to its end" in str(refusal.value)
    assert not CallImport.objects.exists()


def test_what_unpacks_to_much_takes_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0

    def read(self: Any, size: int) -> bytes:
        nonlocal most
        data = unpacked(self, size)
        most = max(most, len(data))
        return data

    unpacked = containers._Unpacked.read
    monkeypatch.setattr(containers._Unpacked, "read", read)
    for pack in (bz2.compress, lzma.compress):
        assert sum(block.size for block in blocks_of(io.BytesIO(pack(b"x\n" * 8_000_000)))) > 15_000_000
    assert most <= 1 << 18


def test_trailing_garbage_of_gzip_is_told(answered: PhoneNumber) -> None:
    content = gzip.compress(file_of(row(f"c{number}") for number in range(50_000))) + b"garbage"
    with pytest.raises(ValidationError) as refusal:
        imported(content)
    assert "can't be read to its end" in str(refusal.value)
    assert not CallRecord.objects.exists()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        ",,,,",
        HEADER,
        "Calls of November",
        "Total,,,,122",
        "Total:,,,,",
        "INTEGER,VARCHAR(50),INTEGER,INTEGER,INTEGER",
    ],
)
def test_a_line_that_is_no_call_is_counted_as_one(line: str) -> None:
    batch = batch_of(file_of([row("c1"), line, row("c2")]))
    assert (ids(batch), batch.not_a_call, batch.not_answered, batch.rejects) == (
        ["c1", "c2"],
        2,
        0,
        [],
    )  # with the header


@pytest.mark.parametrize(
    "line", ["c3", '"c3', "c3,+18005550100", "Total 3", "from,to,call_id,seconds,started_at", "total,+18005550100,,,"]
)
def test_a_line_that_may_be_a_call_is_rejected(line: str) -> None:
    batch = batch_of(file_of([row("c1"), line, row("c2")]))
    assert (ids(batch), batch.not_a_call) == (["c1", "c2"], 1)  # the header
    assert [reject[0] for reject in batch.rejects] == [3]


def test_every_row_has_one_fate() -> None:
    lines = ["", row("c1"), "hello there", row("c2", seconds="x"), row("c3"), ",,", "\x1a"]
    batch = batch_of(file_of(lines))
    assert len(batch.staged) + len(batch.rejects) + batch.not_answered + batch.not_a_call == 1 + len(lines)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0"), max_size=60), max_size=30)
)
def test_any_lines_have_one_fate_each(lines: list[str]) -> None:
    batch = batch_of(file_of([row("c1"), *lines]))
    count = len(batch.staged) + len(batch.rejects) + batch.not_answered + batch.not_a_call
    assert count == 2 + len(lines)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for content in (data, HEADER.encode() + b"\n" + data, asterisk_row("1.1").encode() + b"\n" + data):
        with suppress(Unreadable):
            list(batches_of(blocks_of(io.BytesIO(content)), None, numbers=Numbers("US"), zone=ZONE)[1])


def test_a_leg_or_sequence_is_read_from_our_own_columns() -> None:
    for name in ("leg", "sequence", "Leg "):
        batch = batch_of(f"{HEADER},{name}\n{row('c1')},7\n{row('c1')},\n".encode())
        assert legs(batch) == ["7", ""]
    assert legs(batch_of(PLAIN)) == ["", ""]


def test_the_rejects_keep_the_leg(answered: PhoneNumber) -> None:
    received = imported(f"{HEADER},leg\n{row('c1', seconds='x')},7\n".encode())
    assert received.columns == [*HEADER.split(","), "leg"]
    assert received.rejects.get().content.endswith(",x,7")


@pytest.mark.parametrize("place", ["call_id", "to", "started_at", "seconds"])
def test_a_bad_byte_matters_except_in_the_caller(place: str) -> None:
    bad = {
        "call_id": b"c\xe9",
        "to": b"\xe9" + b"8005550100",
        "started_at": NOON.encode() + b"\xe9",
        "seconds": b"6\xe9",
    }
    values = {
        "call_id": b"c1",
        "to": b"8005550100",
        "from": b"M\xfcller \\ Co",
        "started_at": NOON.encode(),
        "seconds": b"61",
    }
    lines = [b",".join(values.values()), b",".join((values | {place: bad[place]}).values())]
    batch = batch_of(HEADER.encode() + b"\n" + b"\n".join(lines))
    assert batch.staged[0].split("\t")[4] == "M\N{REPLACEMENT CHARACTER}ller \\\\ Co"
    assert [(reject[0], reject[1]) for reject in batch.rejects] == [(3, "encoding")]


def test_a_banner_has_words_and_nothing_that_may_be_an_id() -> None:
    assert is_no_call(["Calls of November"], [])
    assert not is_no_call(["Call 26550"], [])
    assert not is_no_call(["calls"], [])
