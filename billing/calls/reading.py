"""Streams a call file: whatever text is in it becomes blocks of lines, and what is no line of text is marked. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from billing.calls.cells import BYTE_ORDER_MARK
from billing.calls.containers import BROKEN, Readable, broken, text_of

BLOCK = 1 << 18
LONGEST = 16_384  # characters of a line
LONGEST_BYTES = 4 * LONGEST + 4
KEPT = 500  # characters of a line too long
ENCODING = "encoding"


@dataclass
class Block:
    """Lines that follow one another in a file, and how many bytes they are.

    `bad` has of those that are not text why: a code and a reason, by place. `mended` has those of them that are text
    but for some bytes, with the mark of a lost character instead: whether these bytes matter, their layout knows.
    """

    lines: list[str]
    size: int
    bad: dict[int, tuple[str, str]] = field(default_factory=dict)
    mended: dict[int, str] = field(default_factory=dict)


def blocks_of(stream: Any, progress: Callable[[int], object] | None = None) -> Iterator[Block]:
    """Yield the lines of a binary stream, compressed or not; memory grows neither with the file nor with its lines.

    `progress` is told the bytes read so far, of the file as it is. Unreadable if it is no text, or breaks off.
    """
    try:
        yield from _blocks(text_of(stream, progress))
    except BROKEN as error:
        raise broken(error) from error


def _blocks(binary: Readable) -> Iterator[Block]:
    rest, ends_with_cr = b"", None
    while data := binary.read(BLOCK):
        if ends_with_cr is None:  # as files of old Macs, and some exports of today
            ends_with_cr = b"\r" in data[:-1] and b"\n" not in data
        if ends_with_cr:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        data = rest + data
        end = data.rfind(b"\n") + 1
        rest = data[end:][:LONGEST_BYTES]  # a line too long stays too long, however it goes on
        if end:
            yield _block(data[: end - 1])
    if rest:
        yield _block(rest)


def _block(data: bytes) -> Block:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _careful_block(data)
    if "\0" in text:
        return _careful_block(data)
    lines = text.replace("\r\n", "\n").removesuffix("\r").split("\n")
    return _careful_block(data) if max(map(len, lines)) > LONGEST else Block(lines, len(data))


def _careful_block(data: bytes) -> Block:
    """Look at each line separately: one that is not text is written so that it can be shown and kept."""
    block = Block([], len(data))
    for place, raw in enumerate(data.split(b"\n")):
        raw = raw.removesuffix(b"\r")
        line = raw.decode(errors="backslashreplace")
        if len(raw) > LONGEST_BYTES - 4 or len(line) > LONGEST:
            line = line[:KEPT]
            block.bad[place] = ("too_long", f"The line is longer than {LONGEST:,} characters.")
        elif "\0" in line:
            block.bad[place] = ("nul", "The line has a NUL character.")
        elif not _is_text(raw):
            block.bad[place] = (ENCODING, "The line is not text in UTF-8.")
            block.mended[place] = raw.decode(errors="replace")
        block.lines.append(line.replace("\0", "\\0"))
    return block


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def without_mark(line: str) -> str:
    """Return a line without the byte order mark that a file, or a file joined to another, begins with."""
    return line.lstrip(BYTE_ORDER_MARK)
