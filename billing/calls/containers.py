"""Finds out by a call file's first bytes whether it is text, compressed text, or something that can't be read. Pure.

Everything is read block by block, so memory grows neither with the file nor with what it unpacks to.
"""

import bz2
import codecs
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from billing.calls.cells import Unreadable

BLOCK = 1 << 16
START = 512  # bytes by which a file is recognized
DEEPEST = 2  # layers of compression that are unpacked; enough to recognize a tar or a zip inside gzip
MOST_MEMORY = 128 << 20  # bytes that xz may use for its dictionary
TAR = 257  # offset of a tar archive's signature

GZIP = b"\x1f\x8b"
XZ = b"\xfd7zXZ\0"
BZIP2 = b"1AY&SY"  # after BZh and a digit
ZIP = b"PK\x03\x04"
SPREADSHEET = "Save the sheet as CSV UTF-8 and import that."
UNPACK = "Unpack it and import the files in it."
REFUSED = (
    (b"%PDF", "a PDF", "Export the calls as CSV instead."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (xls)", SPREADSHEET),
    (b"PK\x05\x06", "an empty zip archive", "Export the calls again."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it, or compress it with gzip."),
    (b"SQLite format 3\0", "an SQLite database", "Export the table of calls as CSV."),
    (b"PAR1", "a Parquet file", "Export the calls as CSV instead."),
    (b"\x89PNG", "a picture", "Export the calls as CSV instead."),
    (b"\xff\xd8\xff", "a picture", "Export the calls as CSV instead."),
)
UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
SAMPLE = 64
FEWEST = 16  # bytes that it takes to recognize UTF-16 without a byte order mark

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def text_of(stream: Any, progress: Callable[[int], object] | None = None) -> Readable:
    """Return a binary stream's text in UTF-8, unpacked if it is compressed. Raises Unreadable if it is not text.

    `progress` is called with the number of bytes read so far, before unpacking.
    """
    source: Readable = _Counted(stream.read, progress)
    for depth in range(DEEPEST + 1):
        ahead = _Ahead(source)
        start = ahead.start
        if start.startswith(ZIP):
            source = _only_member(stream, progress, inside=depth > 0)
        elif start.startswith(GZIP):
            source = _Counted(gzip.GzipFile(fileobj=ahead).read1)  # type: ignore[call-overload]
        elif start.startswith(XZ):
            source = _Unpacked(ahead, lambda: lzma.LZMADecompressor(memlimit=MOST_MEMORY))
        elif start.startswith(b"BZh") and start[4:10] == BZIP2:
            source = _Unpacked(ahead, bz2.BZ2Decompressor)
        else:
            return _as_utf8(ahead)
    raise Unreadable("archive", f"The file is packed more than {DEEPEST} times. {UNPACK}")


def _as_utf8(ahead: "_Ahead") -> Readable:
    start = ahead.start
    for magic, what, advice in REFUSED:
        if start.startswith(magic):
            raise Unreadable("not_calls", f"The file is {what}. {advice}")
    if start[TAR : TAR + 5] == b"ustar":
        raise Unreadable("not_calls", f"The file is a tar archive. {UNPACK}")
    if start.startswith(UTF32):
        raise Unreadable("not_utf8", "The file is text in UTF-32. Save it as UTF-8 and import it again.")
    encoding = UTF16.get(start[:2]) or _utf16_without_mark(start[:SAMPLE])
    return _Recoded(ahead, encoding) if encoding else ahead


def _utf16_without_mark(start: bytes) -> str | None:
    """Return the encoding of UTF-16 without a byte order mark, or None: in ASCII text, every other byte is NUL."""
    if len(start) < FEWEST:
        return None
    even, odd = start[0::2], start[1::2]
    for letters, zeros, name in ((even, odd, "utf-16-le"), (odd, even, "utf-16-be")):
        if not any(zeros) and letters.isascii() and all(letters):
            return name
    return None


class _Counted:
    """Reads through a function, and reports how many bytes were read.

    A function that may return less than it was asked for, like `read1`, loses nothing of a file that breaks off.
    """

    def __init__(self, read: Callable[[int], bytes], progress: Callable[[int], object] | None = None) -> None:
        self._read = read
        self._progress = progress
        self._count = 0

    def read(self, size: int, /) -> bytes:
        data = self._read(size)
        self._count += len(data)
        if self._progress and data:
            self._progress(self._count)
        return data


class _Ahead:
    """A source whose first bytes, `start`, are known before it is read.

    A read returns as much as was asked for, except at the end, or before the place at which the file breaks off.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._left = b""
        self._broken: BaseException | None = None
        self._left = self.start = self.read(START)

    def read(self, size: int, /) -> bytes:
        if self._broken:
            raise self._broken
        if len(self._left) >= size:
            data, self._left = self._left[:size], self._left[size:]
            return data
        parts, missing = [self._left], size - len(self._left)
        self._left = b""
        try:
            while missing > 0 and (data := self._source.read(missing)):
                parts.append(data)
                missing -= len(data)
        except BROKEN as error:
            if not any(parts):
                raise
            self._broken = error  # raised by the next read, after what could be read was returned
        return b"".join(parts)


class _Unpacked:
    """Unpacks a source, which may be several compressed streams one after another."""

    def __init__(self, source: Readable, make: Callable[[], Any]) -> None:
        self._source = source
        self._make = make
        self._unpacker = make()

    def read(self, size: int, /) -> bytes:
        while True:
            if self._unpacker.eof:
                rest = self._unpacker.unused_data.lstrip(b"\0") or self._source.read(BLOCK).lstrip(b"\0")
                if not rest:
                    return b""
                self._unpacker = self._make()
                packed = rest
            else:
                packed = self._source.read(BLOCK) if self._unpacker.needs_input else b""
                if not packed and self._unpacker.needs_input:
                    raise EOFError("it ends before its end was marked")
            if data := self._unpacker.decompress(packed, size):
                return bytes(data)


class _Recoded:
    """Converts UTF-16 to UTF-8; what can't be decoded becomes a replacement character."""

    def __init__(self, source: Readable, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def read(self, size: int, /) -> bytes:
        while data := self._source.read(size):
            if text := self._decoder.decode(data):
                return text.encode(errors="replace")
        return self._decoder.decode(b"", final=True).encode(errors="replace")


def _only_member(stream: Any, progress: Callable[[int], object] | None, *, inside: bool) -> Readable:
    """Return the contents of the only file in a zip. Raises Unreadable if there are several, or it is a workbook."""
    if inside or not getattr(stream, "seekable", bool)():
        raise Unreadable("archive", f"The file is a zip archive. {UNPACK}")
    stream.seek(0)
    archive = zipfile.ZipFile(stream)
    names = [member.filename for member in archive.infolist() if not member.is_dir()]
    if "[Content_Types].xml" in names:
        raise Unreadable("not_calls", f"The file is an Excel workbook (xlsx). {SPREADSHEET}")
    if "mimetype" in names and "content.xml" in names:
        raise Unreadable("not_calls", f"The file is an OpenDocument spreadsheet (ods). {SPREADSHEET}")
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise Unreadable("archive", f"The file is a zip archive with {len(names):,} files in it. {UNPACK}")
    member = archive.getinfo(names[0])
    if member.flag_bits & 1:
        raise Unreadable("archive", f"The file is a zip archive with a password. {UNPACK}")
    opened: Any = archive.open(member)
    return _Counted(opened.read1, (lambda _: progress(stream.tell())) if progress else None)


def broken(error: BaseException) -> Unreadable:
    """Return the error that says that a file can't be read to its end."""
    return Unreadable("broken_file", f"The file can't be read to its end: {error}.")
