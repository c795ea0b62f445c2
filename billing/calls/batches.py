"""Batches of a file's rows: calls in the text form of COPY, and rejected rows with their reasons. Pure."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from zoneinfo import ZoneInfo

from billing.calls.cells import (
    BYTE_ORDER_MARK,
    Unreadable,
    fields_of,
    is_blank,
    is_no_call,
    loose_fields_of,
    plain,
)
from billing.calls.layouts import Call, Layout
from billing.calls.mapping import ColumnMapping
from billing.calls.reading import ENCODING, Block, without_mark
from billing.calls.recognizing import HEAD, recognized
from billing.calls.values import Numbers, Rejected

ROWS = 25_000
BYTES = 8 << 20
Reject = tuple[int, str, str, str]
"""Line number, code, reason, and the row as it was received."""


@dataclass
class Batch:
    """Rows of a file from line `first` on. `staged` has a line of COPY's text form for each call.

    Every other row is rejected, or counted as not answered or as not a call (a blank line, a repeated header, a banner,
    a total).
    """

    layout: Layout
    first: int
    lines: list[str] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    not_answered: int = 0
    not_a_call: int = 0
    size: int = 0

    def take(self, block: Block) -> None:
        """Add a block's rows."""
        call, delimiter, stage, bad = self.layout.call, self.layout.delimiter, self.staged.append, block.bad
        start = self.first + len(self.lines)
        for number, line in enumerate(block.lines, start):
            if not line:
                self.not_a_call += 1
                continue
            try:
                if bad and number - start in bad:
                    self._take_carefully(number, self._mended_call(block, number - start))
                    continue
                if "\\" in line or "'" in line or line[0] == BYTE_ORDER_MARK:
                    self._take_carefully(number, self._careful_call(line))
                    continue
                found = call(line.split(delimiter) if '"' not in line else fields_of(line, delimiter))
            except Rejected as why:
                is_text = number - start not in bad or (number - start in block.mended and why.code != ENCODING)
                self._reject(number, line, why, is_text=is_text)
                continue
            if found is None:
                self.not_answered += 1
            else:
                call_id, leg, called, caller, started_at, seconds = found
                stage(f"{number}\t{call_id}\t{leg}\t{called}\t{caller}\t{started_at}\t{seconds}\n")
        self.lines += block.lines
        self.size += block.size

    def _careful_call(self, line: str) -> Call | None:
        """Read a row that was made safe for spreadsheets, begins with a byte order mark, or has a backslash."""
        return self.layout.call([plain(cell) for cell in fields_of(without_mark(line), self.layout.delimiter)])

    def _mended_call(self, block: Block, place: int) -> Call | None:
        """Read a row in which some bytes are not text. Raises Rejected if they are in a column that must be whole."""
        if place not in block.mended:
            raise Rejected(*block.bad[place])
        line = without_mark(block.mended[place])
        fields = [plain(cell) for cell in fields_of(line, self.layout.delimiter)]
        self.layout.check_mended(fields)
        return self.layout.call(fields)

    def _take_carefully(self, number: int, found: Call | None) -> None:
        if found is None:
            self.not_answered += 1
        else:
            values = "\t".join(map(str, found)).replace("\\", "\\\\")
            self.staged.append(f"{number}\t{values}\n")

    def _reject(self, number: int, line: str, why: Rejected, *, is_text: bool) -> None:
        """Add a row to the rejects, or only count it if it is not a call."""
        if not is_text:
            self.rejects.append((number, why.code, why.reason, line))
        elif is_blank(line) or is_no_call(loose_fields_of(line, self.layout.delimiter), self.layout.header):
            self.not_a_call += 1
        else:
            self.rejects.append((number, why.code, why.reason, self.layout.content_of(line)))

    def content(self, number: int) -> str:
        """Return the row on a line as it was received."""
        return self.layout.content_of(self.lines[number - self.first])


def batches_of(
    blocks: Iterable[Block],
    wanted: str | None,
    *,
    numbers: Numbers,
    zone: ZoneInfo | None,
    mapping: ColumnMapping | None = None,
) -> tuple[Layout, Iterator[Batch]]:
    """Return the layout of a file, and an iterator that reads its batches. Raises Unreadable as `opened` does."""
    layout, every = opened(blocks, wanted, numbers=numbers, zone=zone, mapping=mapping)
    return layout, _batches(layout, every)


def opened(
    blocks: Iterable[Block],
    wanted: str | None,
    *,
    numbers: Numbers,
    zone: ZoneInfo | None,
    mapping: ColumnMapping | None = None,
) -> tuple[Layout, Iterator[Block]]:
    """Return the layout of a file, and its blocks. Lines before the first call are blanked, so they count as no call.

    The layout is recognized by the first lines. Raises Unreadable if they fit none, or not the one that is `wanted`.
    """
    left = iter(blocks)
    head: list[Block] = []
    while sum(len(block.lines) for block in head) < HEAD and (block := next(left, None)):
        head.append(block)
    every = (block.mended.get(place, line) for block in head for place, line in enumerate(block.lines))
    lines = list(islice(every, HEAD))
    try:
        layout = recognized(lines, wanted, numbers=numbers, zone=zone, mapping=mapping)
    except Unreadable as why:
        if head and 0 in head[0].bad and why.code == "unknown_layout":
            reason = f"The file is not CSV text: of its first line, {head[0].bad[0][1].lower()}"
            raise Unreadable("not_text", reason) from None
        raise
    before = layout.start
    for block in head:
        for place in range(min(before, len(block.lines))):
            block.lines[place] = ""
            block.bad.pop(place, None)
        before -= min(before, len(block.lines))
    return layout, chain(head, left)


def _batches(layout: Layout, blocks: Iterable[Block]) -> Iterator[Batch]:
    batch = Batch(layout, first=1)
    for block in blocks:
        batch.take(block)
        if len(batch.lines) >= ROWS or batch.size >= BYTES:
            yield batch
            batch = Batch(layout, first=batch.first + len(batch.lines))
    if batch.lines:
        yield batch


def read_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the same batches, each read in a thread while the database works on the previous one."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield batch
