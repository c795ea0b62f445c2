"""Batches of a file's rows: those that were read, as COPY takes them, and those rejected, with their reasons. Pure."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from zoneinfo import ZoneInfo

from billing.calls.layouts import BYTE_ORDER_MARK, Layout, Unreadable, fields_of, plain, recognised
from billing.calls.reading import Block, without_mark
from billing.calls.values import Numbers, Rejected

ROWS = 25_000
BYTES = 8 << 20
Reject = tuple[int, str, str, str]
"""Line, code, reason, and the row as it was received."""


@dataclass
class Batch:
    """Rows of a file from line `first` on. `staged` has a line of COPY's text form for each call."""

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
        call, stage, bad = self.layout.call, self.staged.append, block.bad
        start = self.first + len(self.lines)
        for number, line in enumerate(block.lines, start):
            if not line:
                self.not_a_call += 1
                continue
            try:
                if bad and number - start in bad:
                    raise Rejected(*bad[number - start])
                if "\\" in line or "'" in line or line[0] == BYTE_ORDER_MARK:
                    self._take_carefully(number, line)
                    continue
                found = call(line.split(",") if '"' not in line else fields_of(line))
            except Rejected as why:
                content = line if bad and number - start in bad else self.layout.content_of(line)
                self.rejects.append((number, why.code, why.reason, content))
                continue
            if found is None:
                self.not_answered += 1
            else:
                call_id, leg, called, caller, started_at, seconds = found
                stage(f"{number}\t{call_id}\t{leg}\t{called}\t{caller}\t{started_at}\t{seconds}\n")
        self.lines += block.lines
        self.size += block.size

    def _take_carefully(self, number: int, line: str) -> None:
        """Add a row that was made safe for spreadsheets, joined from another file, or has what COPY needs escaped."""
        found = self.layout.call([plain(cell) for cell in fields_of(without_mark(line))])
        if found is None:
            self.not_answered += 1
        else:
            values = "\t".join(map(str, found)).replace("\\", "\\\\")
            self.staged.append(f"{number}\t{values}\n")

    def content(self, number: int) -> str:
        """Return the row on a line as it was received."""
        return self.layout.content_of(self.lines[number - self.first])


def batches_of(
    blocks: Iterable[Block], wanted: str | None, *, numbers: Numbers, zone: ZoneInfo | None
) -> tuple[Layout, Iterator[Batch]]:
    """Return the layout of a file and its batches, which are read as they are asked for.

    The file's first line tells the layout, and has to fit it where one is `wanted`; else Unreadable.
    """
    left = iter(blocks)
    first = next(left, None)
    if first is None or first.lines == [""]:
        raise Unreadable("empty_file", "The file is empty.")
    if 0 in first.bad:
        raise Unreadable("not_text", f"The file is not CSV text: of its first line, {first.bad[0][1].lower()}")
    layout = recognised(first.lines[0], wanted, numbers=numbers, zone=zone)
    if layout.has_header:
        first.lines[0] = ""
    return layout, _batches(layout, chain([first], left))


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
    """Yield the same batches; each is read in a thread while the database works on the one before."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield batch
