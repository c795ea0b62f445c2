"""Prints documents as PDF files with Typst: archivable (PDF/A-3a), accessible (PDF/UA-1), and with fonts of our own.

Nothing of the system is used, so a document looks the same on every server. The templates of earlier versions stay,
since documents are printed with the version that they were issued with.
"""

import json
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import typst

from billing.documents.metadata import with_metadata

HERE: Final = Path(__file__).parent
FONTS: Final = HERE / "fonts"
TEMPLATES: Final = HERE / "templates"
BOX: Final = "\N{WHITE SQUARE}"  # stands for a character that the fonts don't have
LONG_WORD: Final = re.compile(r"\S{24,}")
WIDEST: Final = 24  # widths of a W that fit into the narrowest column of texts
BREAK: Final = "\N{ZERO WIDTH SPACE}"

# A compiler can't print two documents at once.
_compiling = Lock()
# Typst's threads are not copied by a fork, so a process that was forked after the first document would wait forever.
_printed = False
_lost_threads = False


def _after_fork() -> None:
    global _lost_threads
    _lost_threads = _printed


os.register_at_fork(after_in_child=_after_fork)


def pdf_of(paper: Mapping[str, Any], *, attachment: bytes | None = None) -> bytes:
    """Return the PDF of a document whose texts are in the form of `Paper.as_json`.

    `attachment` is the document for machines, which is attached as `factur-x.xml` (Factur-X). With the same version of
    Typst, the same texts give the same bytes. Characters that the fonts don't have are printed as boxes.
    """
    inputs = inputs_of(paper)
    if attachment is not None:
        inputs["attachment"] = attachment.decode()
        return with_metadata(print_pdf(paper["template"], inputs))
    return print_pdf(paper["template"], inputs)


def inputs_of(paper: Mapping[str, Any]) -> dict[str, str]:
    """Return the inputs of the template: the texts as JSON, with nothing in them that can't be printed."""
    return {"paper": json.dumps(_printable(paper))}


def print_pdf(template: int, inputs: dict[str, str]) -> bytes:
    """Return the PDF that a version of the templates prints of its inputs."""
    with _compiling:
        _check_threads()
        content = _compiler(template).compile(format="pdf", sys_inputs=inputs, pdf_standards=["a-3a", "ua-1"])
    assert isinstance(content, bytes)
    return content


def pictures_of(paper: Mapping[str, Any], *, ppi: int = 72) -> list[bytes]:
    """Return the pages of a document as PNG pictures."""
    with _compiling:
        _check_threads()
        found = _compiler(paper["template"]).compile(format="png", ppi=ppi, sys_inputs=inputs_of(paper))
    assert found is not None
    return found if isinstance(found, list) else [found]


def _check_threads() -> None:
    """Raise RuntimeError in a process that was forked from one that had printed a document."""
    global _printed
    if _lost_threads:
        raise RuntimeError("This process was forked after a document was printed. Start it before, or with spawn.")
    _printed = True


@cache
def _compiler(template: int) -> typst.Compiler:
    """Return the compiler of a version of the templates. Raises FileNotFoundError for a version there never was."""
    path = TEMPLATES / str(template) / "document.typ"
    if not path.exists():
        raise FileNotFoundError(
            f"Version {template} of the templates is needed to print this document: {path} is missing."
        )
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(input=str(path), root=str(path.parent), font_paths=fonts)


def _printable(value: Any) -> Any:
    """Return texts, wherever they are in the value, with what the fonts have, and with places to break long words."""
    if isinstance(value, str):
        return LONG_WORD.sub(_breakable, printable(value))
    if isinstance(value, Mapping):
        return {key: _printable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(inner) for inner in value]
    return value


def _breakable(word: re.Match[str]) -> str:
    """Return the word, with places to break if it could be wider than a column. They would be copied with the text."""
    width = sum(1 if letter in "WM@—…" else 0.75 if letter.isupper() else 0.56 for letter in word[0])
    return BREAK.join(word[0]) if width > WIDEST else word[0]


def printable(text: str) -> str:
    """Return a text without invisible characters, and with a box for each character that the fonts don't have."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_characters(unicodedata.normalize("NFC", text)))


def _characters(text: str) -> Iterator[str]:
    covered = _covered()
    for character in text:
        if character in covered or character == "\n":
            yield character
        elif unicodedata.category(character) in ("Zs", "Zl", "Zp") or character == "\t":
            yield " "
        elif unicodedata.category(character) not in ("Cc", "Cf", "Mn", "Me"):
            yield BOX


@cache
def _covered() -> frozenset[str]:
    """Return the characters that all our fonts have. `coverage.txt` lists them as ranges in hexadecimal digits.

    Inter has signs of its own at places that Unicode leaves to everybody (Co), which PDF/UA doesn't allow.
    """
    found: set[str] = set()
    for line in (FONTS / "coverage.txt").read_text().splitlines():
        first, _, last = line.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(character for character in found if unicodedata.category(character) not in ("Cc", "Cf", "Co"))
