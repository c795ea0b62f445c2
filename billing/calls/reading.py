"""Streams a call file: bytes, gzip or not, become blocks of lines, and what is no line of text is set aside."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from billing.calls.layouts import BYTE_ORDER_MARK, Unreadable

BLOCK = 1 << 18
LONGEST = 16_384  # characters of a line
LONGEST_BYTES = 4 * LONGEST + 4
KEPT = 500  # characters of a line too long
GZIP = b"\x1f\x8b"
UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass
class Block:
    """Lines that follow one another in a file, and how many bytes they are.

    `bad` has of those that are not text why: a code and a reason, by place.
    """

    lines: list[str]
    size: int
    bad: dict[int, tuple[str, str]] = field(default_factory=dict)


class _Counted(io.RawIOBase):
    """Any object with `read`, as a raw stream that tells how far it was read."""

    def __init__(self, source: Any, progress: Callable[[int], object] | None) -> None:
        self._source = source
        self._progress = progress
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        self._count += len(data)
        if self._progress and data:
            self._progress(self._count)
        return len(data)


def blocks_of(stream: Any, progress: Callable[[int], object] | None = None) -> Iterator[Block]:
    """Yield the lines of a binary stream, gzipped or not; memory grows neither with the file nor with its lines.

    `progress` is told the bytes read so far, of the file as it is. Unreadable where it breaks off, or is UTF-16.
    """
    source = io.BufferedReader(_Counted(stream, progress), BLOCK)
    try:
        start = source.peek(2)[:2]
        if start in UTF16:
            raise Unreadable("not_utf8", "The file is not text in UTF-8: it begins like UTF-16.")
        binary: Any = gzip.GzipFile(fileobj=source) if start == GZIP else source
        yield from _blocks(binary)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable("broken_file", f"The file can't be read to its end: {error}.") from error


def _blocks(binary: Any) -> Iterator[Block]:
    rest = b""
    while data := binary.read(BLOCK):
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
    """Look at each line by itself: one that is not text is written so that it can be shown and kept."""
    block = Block([], len(data))
    for place, raw in enumerate(data.split(b"\n")):
        line = raw.removesuffix(b"\r").decode(errors="backslashreplace")
        if len(raw) > LONGEST_BYTES - 4 or len(line) > LONGEST:
            line = line[:KEPT]
            block.bad[place] = ("too_long", f"The line is longer than {LONGEST:,} characters.")
        elif "\0" in line:
            block.bad[place] = ("nul", "The line has a NUL character.")
        elif not _is_text(raw):
            block.bad[place] = ("encoding", "The line is not text in UTF-8.")
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
