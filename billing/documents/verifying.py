"""Computes the digests of stored documents again, to find those that somebody changed past the guards (I22)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from billing.documents.digests import (
    INVOICE_COLUMNS,
    NOTE_COLUMNS,
    with_digests_of_invoices,
    with_digests_of_notes,
)
from billing.documents.presentation import digest_of
from billing.models import CreditNote, Invoice, Presentation

AT_ONCE = 20_000  # keys


@dataclass
class Verified:
    """How many documents were checked, and a sentence for each that was changed or is missing.

    `shared` has one for each changed row of what many documents share.
    """

    checked: int = 0
    wrong: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DocumentKind:
    """A kind of documents: the tables, the query that computes digests, and how it is called."""

    table: str
    key: str
    of: str
    query: str
    model: type[Invoice] | type[CreditNote]


def _kind(table: str, key: str, of: str, columns: tuple[str, ...], with_digests: Any, model: Any) -> DocumentKind:
    papers = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} BETWEEN %(first)s AND %(last)s"  # noqa: S608
    query = f"""
        SELECT o.number, d.digest, again.digest FROM {of} o LEFT JOIN {table} d ON d.{key} = o.id
        LEFT JOIN ({with_digests(papers)}) again ON again.{key} = o.id
        WHERE o.id BETWEEN %(first)s AND %(last)s AND (d.digest IS NULL OR d.digest IS DISTINCT FROM again.digest)
        ORDER BY o.number"""  # noqa: S608
    return DocumentKind(table, key, of, query, model)


KINDS = (
    _kind(
        "billing_invoicedocument",
        "invoice_id",
        "billing_invoice",
        INVOICE_COLUMNS,
        with_digests_of_invoices,
        Invoice,
    ),
    _kind(
        "billing_creditnotedocument",
        "note_id",
        "billing_creditnote",
        NOTE_COLUMNS,
        with_digests_of_notes,
        CreditNote,
    ),
)


def verified() -> Iterator[Verified]:
    """Yield what was found in each part of the documents: first in what many share, then in 20,000 keys at a time."""
    yield _presentations()
    for kind in KINDS:
        first, last = _rows(f"SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM {kind.of}", {})[0]  # noqa: S608
        for start in range(first, last + 1, AT_ONCE):
            keys = {"first": start, "last": min(last, start + AT_ONCE - 1)}
            count = f"SELECT count(*) FROM {kind.of} WHERE id BETWEEN %(first)s AND %(last)s"  # noqa: S608
            found = Verified(_rows(count, keys)[0][0])
            for number, stored, _ in _rows(kind.query, keys):
                what = "has no document" if stored is None else "is not what was issued"
                found.wrong.append(f"{kind.model(number=number).title} {what}.")
            yield found


def _presentations() -> Verified:
    found = Verified()
    for presentation in Presentation.objects.iterator():
        if digest_of(presentation.content) != presentation.digest:
            found.shared.append(f"{presentation} is not what documents were issued with.")
    return found


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        fetched: list[tuple[Any, ...]] = cursor.fetchall()
        return fetched
