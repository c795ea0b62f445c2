"""CSV files of the lists of invoices and credit notes, as they are filtered and searched (R41)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from billing.models import CreditNote, Invoice, InvoiceLine
from core.chunks import cut
from core.csv_files import streamed_csv

AT_ONCE = 1_000


@dataclass(frozen=True)
class Download:
    """A file: the words of its link, its columns, and a function of rows' keys that yields their cells."""

    title: str
    columns: Sequence[str]
    rows: Callable[[Sequence[int]], Iterable[Sequence[object]]]


def invoice_rows(keys: Sequence[int]) -> Iterator[Sequence[object]]:
    for invoice in Invoice.objects.filter(pk__in=keys).select_related("document__profile").order_by("-number"):
        document = invoice.document
        company = document.profile.legal_name if document.profile else document.company
        due = document.due_on.isoformat() if document.due_on else ""
        month = f"{invoice.month:%Y-%m}"
        yield invoice.title, document.account_number, company, month, document.issued_on.isoformat(), due, invoice.total


def line_rows(keys: Sequence[int]) -> Iterator[Sequence[object]]:
    lines = InvoiceLine.objects.filter(invoice__in=keys).select_related("invoice__document")
    for line in lines.order_by("-invoice__number", "position"):
        yield (
            line.invoice.title, line.invoice.document.account_number, line.position, line.kind, line.sku,
            f"{line.month:%Y-%m}", line.first.isoformat(), line.last.isoformat(), line.quantity, line.unit_price,
            line.minutes, line.included, line.invoiced, line.amount,
        )  # fmt: skip


def note_rows(keys: Sequence[int]) -> Iterator[Sequence[object]]:
    notes = CreditNote.objects.filter(pk__in=keys).select_related("invoice", "document__profile")
    for note in notes.order_by("-number"):
        document = note.document
        company = document.profile.legal_name if document.profile else document.company
        day = document.issued_on.isoformat()
        yield note.title, note.invoice.title, document.account_number, company, day, note.amount, note.reason


INVOICES: Mapping[str, Download] = {
    "invoices": Download(
        "Invoices as CSV",
        ("invoice", "account", "company", "month", "issued_on", "due_on", "total_usd"),
        invoice_rows,
    ),
    "lines": Download(
        "Lines as CSV",
        (
            "invoice", "account", "position", "kind", "sku", "month", "first", "last", "quantity", "unit_price",
            "minutes", "included", "invoiced_before", "amount_usd",
        ),
        line_rows,
    ),
}  # fmt: skip
NOTES: Mapping[str, Download] = {
    "credit-notes": Download(
        "Credit notes as CSV",
        ("credit_note", "invoice", "account", "company", "issued_on", "amount_usd", "reason"),
        note_rows,
    ),
}


class WithDownloads:
    """A mixin of a list whose rows can be downloaded. Its links are above the list and keep filters and search."""

    downloads: Mapping[str, Download] = {}
    list_before_template = "admin/billing/downloads.html"

    @property
    def csv_url(self: Any) -> str:
        """The name of the address of the downloads, in the admin."""
        return f"{self.opts.app_label}_{self.opts.model_name}_csv"

    def get_urls(self: Any) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        return [path("csv/<str:name>/", view, name=self.csv_url), *super().get_urls()]  # type: ignore[misc]

    def download(self: Any, request: HttpRequest, name: str) -> HttpResponseBase:
        """Return the listed rows as the file of this name; of junk, back to the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.downloads.get(name)
        if found is None:
            raise Http404
        try:
            keys = list(self.get_changelist_instance(request).queryset.values_list("pk", flat=True))
        except (DataError, ValueError, IncorrectLookupParameters):
            back: HttpResponse = HttpResponseRedirect(f"../../?{ERROR_FLAG}=1")
            return back
        return streamed_csv(f"{name}.csv", _rows(found, keys))


def _rows(download: Download, keys: Sequence[int]) -> Iterator[Sequence[object]]:
    yield download.columns
    for some in cut(keys, AT_ONCE):
        yield from download.rows(some)
