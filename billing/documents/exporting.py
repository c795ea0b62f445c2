"""Writes the documents of a month as files, by several processes, each file whole or not at all."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import repeat
from pathlib import Path
from typing import Final

from billing.documents.files import paper_of, pdf_with, xml_of
from billing.documents.paper import printed_invoices, printed_notes
from billing.models import CreditNote, Invoice
from billing.runs.workers import pool
from core.chunks import cut

AT_ONCE: Final = 100  # documents that a process writes before it says so


@dataclass(frozen=True)
class Part:
    """Some documents of one kind, by their keys."""

    keys: Sequence[int]
    are_notes: bool = False


def parts_of(month: date, folder: Path) -> list[Part]:
    """Return the invoices of a billing month and their credit notes whose PDFs are not in the folder yet. Two queries.

    So an export that was interrupted goes on where it stopped.
    """
    written = {path.name for path in folder.glob("*.pdf")}
    invoices = [
        invoice.pk
        for invoice in Invoice.objects.filter(month=month).only("number").order_by("number").iterator()
        if f"{invoice.title}.pdf" not in written
    ]
    notes = [
        note.pk
        for note in CreditNote.objects.filter(invoice__month=month).only("number").order_by("number").iterator()
        if f"{note.title}.pdf" not in written
    ]
    return [Part(keys) for keys in cut(invoices, AT_ONCE)] + [
        Part(keys, are_notes=True) for keys in cut(notes, AT_ONCE)
    ]


def write_parts(parts: Sequence[Part], folder: Path, *, workers: int) -> Iterator[int]:
    """Write the documents as files like `INV-000123.pdf`, and yield the number of each part once it is written.

    Raises OSError if a file can't be written. The processes are forked before they print their first document, because
    Typst's threads don't survive a fork.
    """
    if workers == 1 or len(parts) < 2:
        yield from (_write(part, folder) for part in parts)
        return
    with pool(min(workers, len(parts))) as others:
        yield from others.map(_write, parts, repeat(folder))


def _write(part: Part, folder: Path) -> int:
    """Write the files of a part's documents, the PDF last, and return how many documents they are."""
    rows: Iterable[Invoice | CreditNote]
    if part.are_notes:
        rows = printed_notes(CreditNote.objects.filter(pk__in=part.keys))
    else:
        rows = printed_invoices(Invoice.objects.filter(pk__in=part.keys))
    for issued in rows:
        xml = xml_of(issued)
        if xml is not None:
            _write_file(folder / f"{issued.title}.xml", xml)
        _write_file(folder / f"{issued.title}.pdf", pdf_with(xml, paper_of(issued)))
    return len(part.keys)


def _write_file(path: Path, content: bytes) -> None:
    """Write a file under another name, and then give it its own."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
