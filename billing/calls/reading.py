"""Streams the text of a call file in blocks of lines, and marks the lines that are not text. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from billing.calls.cells import BYTE_ORDER_MARK
from billing.calls.containers import BROKEN, Readable, broken, text_of

BLOCK = 1 << 18
LONGEST = 16_384  # characters of a line
LONGEST_BYTES = 4 * LONGEST + 4
KEPT = 500  # characters that are kept of a line that is too long
ENCODING = "encoding"


@dataclass
class Block:
    """Consecutive lines of a file, and their size in bytes.

    `bad` has a code and a reason for each line that is not text, by the line's index. Lines that are text except for
    some bytes are in `mended` too, with replacement characters for those; the layout decides whether they matter.
    """

    lines: list[str]
    size: int
    bad: dict[int, tuple[str, str]] = field(default_factory=dict)
    mended: dict[int, str] = field(default_factory=dict)


def blocks_of(stream: Any, progress: Callable[[int], object] | None = None) -> Iterator[Block]:
    """Yield the lines of a binary stream, compressed or not. Memory grows neither with the file nor with its lines.

    `progress` is called with the number of bytes read so far, before unpacking. Raises Unreadable if the file is not
    text, or breaks off.
    """
    try:
        yield from _blocks(text_of(stream, progress))
    except BROKEN as error:
        raise broken(error) from error


def _blocks(binary: Readable) -> Iterator[Block]:
    rest, ends_with_cr = b"", None
    while data := binary.read(BLOCK):
        if ends_with_cr is None:  # as in files of old Macs, and in some exports even today
            ends_with_cr = b"\r" in data[:-1] and b"\n" not in data
        if ends_with_cr:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        data = rest + data
        end = data.rfind(b"\n") + 1
        rest = data[end:][:LONGEST_BYTES]  # more of a line that is too long makes no difference
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
    """Return a block whose lines were decoded one by one; those that are not text are escaped."""
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
    """Return a line without byte order marks at its start, which files have, and parts of files that were joined."""
    return line.lstrip(BYTE_ORDER_MARK)
