"""Issued invoices and credit notes. They are read-only, except that credit notes can be issued."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from accounts.models import Account
from billing.admin.corrections import CREDIT, credit_page
from billing.admin.documents import DocumentAdmin, UndeliveredFilter
from billing.admin.downloads import INVOICES, NOTES, WithDownloads
from billing.documents.paper import printed_invoices, printed_notes
from billing.models import BillRun, CreditNote, Invoice
from core.money import money
from core.verbs import stands_for

NUMBER = re.compile(r"(?:INV-?|CN-?)?0*([0-9]{1,18})", re.IGNORECASE)


class MonthFilter(admin.SimpleListFilter):
    """Offers the months of the bill runs, which are few rows, to avoid reading the table of invoices."""

    title = "month"
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        months = BillRun.objects.order_by("-month").values_list("month", flat=True).distinct()
        return [(f"{month:%Y-%m}", f"{month:%B %Y}") for month in months]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(month=date.fromisoformat(f"{value}-01")) if value else queryset


def numbered(term: str) -> int | None:
    """Return the number in `INV-000123`, `inv123` or `123`, or None if it is none of these."""
    found = NUMBER.fullmatch(term.strip())
    return int(found[1]) if found else None


def of_accounts(term: str) -> QuerySet[Account]:
    """Return the accounts with this number, or with this text in their company's name."""
    return Account.objects.filter(Q(number=term.strip()) | Q(company__icontains=term.strip()))


@admin.register(Invoice)
class InvoiceAdmin(WithDownloads, DocumentAdmin):
    """Issued invoices. There are millions, so they are never counted, and sorted only by number."""

    list_display = ("name", "account", "of_month", "amount", "issued_at")
    list_filter = (MonthFilter, UndeliveredFilter)
    list_select_related = ("account",)
    search_fields = ("number",)  # shows the search box; the search is in get_search_results
    search_help_text = "INV-000123 or 123, account or company"
    ordering = ("-number",)
    sortable_by = ("name",)
    fields = (("name", "account"), ("of_month", "issued_at"), ("amount", "creditable"))
    paginator = InfinitePaginator
    downloads = INVOICES
    actions_detail = ("give_money_back", *DocumentAdmin.actions_detail)
    change_form_outer_after_template = "admin/billing/invoice/document.html"

    @display(description="Invoice", ordering="number")
    def name(self, invoice: Invoice) -> str:
        return invoice.title

    @display(description="Month")
    def of_month(self, invoice: Invoice) -> str:
        return f"{invoice.month:%B %Y}"

    @display(description="Total, USD")
    def amount(self, invoice: Invoice) -> str:
        return money(invoice.total)

    @display(description="Left of it")
    def creditable(self, invoice: Invoice) -> str:
        return money(invoice.creditable)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Invoice], search_term: str
    ) -> tuple[QuerySet[Invoice], bool]:
        if not search_term.strip():
            return queryset, False
        wanted = Q(account__in=of_accounts(search_term))
        number = numbered(search_term)
        return queryset.filter(wanted if number is None else wanted | Q(number=number)), False

    def has_credit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(CREDIT)

    @action(description="Give money back…", permissions=["credit"], url_path="credit", icon="undo")
    @stands_for("issue_credit_note")
    def give_money_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return credit_page(self, request, self.row_or_404(request, object_id))

    def with_document(self, pk: Any) -> Invoice:
        return printed_invoices(Invoice.objects.all()).get(pk=pk)

    def change_context(self, request: HttpRequest, obj: Invoice | CreditNote) -> dict[str, Any]:
        assert isinstance(obj, Invoice)
        notes = obj.credit_notes.select_related("by").order_by("number")
        return {**super().change_context(request, obj), "notes": notes, "creditable": obj.creditable}


@admin.register(CreditNote)
class CreditNoteAdmin(WithDownloads, DocumentAdmin):
    list_display = ("name", "invoice", "account", "given_back", "reason", "by", "at")
    list_filter = (UndeliveredFilter,)
    list_select_related = ("invoice__account", "by")
    search_fields = ("number",)  # shows the search box; the search is in get_search_results
    search_help_text = "Number of the credit note or of its invoice or account, or company"
    ordering = ("-number",)
    sortable_by = ("name",)
    fields = (("name", "invoice"), ("account", "given_back"), "reason", ("by", "at"))
    downloads = NOTES
    change_form_outer_after_template = "admin/billing/creditnote/document.html"

    @display(description="Credit note", ordering="number")
    def name(self, note: CreditNote) -> str:
        return note.title

    @display(description="Account")
    def account(self, note: CreditNote) -> str:
        return str(note.invoice.account)

    def with_document(self, pk: Any) -> CreditNote:
        return printed_notes(CreditNote.objects.all()).get(pk=pk)

    @display(description="Given back, USD")
    def given_back(self, note: CreditNote) -> str:
        return money(note.amount)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CreditNote], search_term: str
    ) -> tuple[QuerySet[CreditNote], bool]:
        if not search_term.strip():
            return queryset, False
        wanted = Q(invoice__account__in=of_accounts(search_term))
        number = numbered(search_term)
        if number is not None:
            wanted |= Q(number=number) | Q(invoice__number=number)
        return queryset.filter(wanted), False
