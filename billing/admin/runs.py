"""Bill runs, the bills that they put on hold for review, and the accounts that they could not bill."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from billing.admin.corrections import DECIDE, decision_page
from billing.admin.invoices import MonthFilter, of_accounts
from billing.models import BillOnHold, BillRun, CallRecord, FailedBill, Invoice
from billing.previews.estimate import bill_now
from billing.pricing.charges import month_after
from core.admin import ReadOnlyAdmin
from core.money import money
from core.verbs import stands_for

SHOWN = 100
LARGEST = 10


class WaitsFilter(admin.SimpleListFilter):
    """Bills that block a month: those waiting for a decision, and those rejected and not billed since."""

    title = "what waits"
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("decision", "For a decision"), ("rejected", "Rejected, and not billed since")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BillOnHold]) -> QuerySet[BillOnHold]:
        if self.value() == "decision":
            return queryset.filter(pk__in=BillOnHold.objects.waiting().values("pk"))
        if self.value() == "rejected":
            return queryset.filter(pk__in=BillOnHold.objects.rejected_and_unbilled().values("pk"))
        return queryset


@admin.register(BillOnHold)
class BillOnHoldAdmin(ReadOnlyAdmin):
    """Unusual bills that were put on hold (I20). Those that wait for a decision come first."""

    list_display = ("account", "of_month", "amount", "why", "status", "held_at", "decided_by")
    list_filter = (WaitsFilter, "state", MonthFilter)
    list_select_related = ("account", "decided_by")
    search_fields = ("account__number",)  # shows the search box; the search is in get_search_results
    search_help_text = "Number of the account, or company"
    ordering = ("state", "-pk")  # "held" comes first alphabetically
    sortable_by = ()
    fields = (
        ("account", "of_month"),
        ("amount", "status"),
        "why",
        "held_at",
        ("decided_by", "decided_at"),
        "note",
        "issued",
    )
    actions_detail = ("release", "reject")
    change_form_outer_after_template = "admin/billing/billonhold/now.html"

    class Media:
        css = {"all": ["admin/bills.css"]}

    @display(description="Month")
    def of_month(self, held: BillOnHold) -> str:
        return f"{held.month:%B %Y}"

    @display(description="Total when held, USD")
    def amount(self, held: BillOnHold) -> str:
        return money(held.total)

    @display(description="State", label={"Held": "warning", "Released": "success", "Rejected": "danger"})
    def status(self, held: BillOnHold) -> str:
        return str(held.get_state_display())

    @display(description="Invoice", empty_value="–")
    def issued(self, held: BillOnHold) -> str | None:
        """Return a link to the invoice of the month, or None if there is none."""
        invoice = Invoice.objects.filter(account=held.account_id, month=held.month).first()
        if invoice is None:
            return None
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse("admin:billing_invoice_change", args=[invoice.pk]),
            invoice.title,
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BillOnHold], search_term: str
    ) -> tuple[QuerySet[BillOnHold], bool]:
        return queryset.filter(account__in=of_accounts(search_term)) if search_term.strip() else queryset, False

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(DECIDE)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the buttons only as long as the bill is not decided."""
        held = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if held and not held.is_decided else []

    @action(
        description="Release…",
        permissions=["decide"],
        url_path="release",
        icon="check_circle",
        variant=ActionVariant.PRIMARY,
    )
    @stands_for("release_bill")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return decision_page(self, request, self.row_or_404(request, object_id), releases=True)

    @action(description="Reject…", permissions=["decide"], url_path="reject", icon="cancel")
    @stands_for("reject_bill")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return decision_page(self, request, self.row_or_404(request, object_id), releases=False)

    def change_context(self, request: HttpRequest, obj: BillOnHold) -> dict[str, Any]:
        if not _waits(obj):
            return {}
        bill = bill_now(obj.account, obj.month)
        return {"bill": bill, "held": obj, "calls": largest_calls(obj, {line.month for line in bill.lines})}


def _waits(held: BillOnHold) -> bool:
    """Return whether the bill is not decided, or was rejected and the month has not been billed since."""
    return not held.is_decided or BillOnHold.objects.rejected_and_unbilled().filter(pk=held.pk).exists()


def largest_calls(held: BillOnHold, months: Iterable[date] = ()) -> QuerySet[CallRecord]:
    """Return the longest charged calls of a bill on hold, which are the likely cause if the call data is wrong.

    These are calls in the bill's month and in the earlier `months` that it adjusts.
    """
    on_it = Q()
    for month in {held.month, *months}:
        on_it |= Q(day__gte=month, day__lt=month_after(month))
    return CallRecord.objects.charged().filter(on_it, account=held.account_id).order_by("-seconds", "pk")[:LARGEST]


@admin.register(BillRun)
class BillRunAdmin(ReadOnlyAdmin):
    list_display = ("of_month", "started_at", "status", "accounts", "invoices", "amount", "on_hold", "failed")
    list_filter = (MonthFilter,)
    ordering = ("-pk",)
    fields = (
        ("of_month", "status"),
        ("started_at", "finished_at"),
        ("accounts", "invoices"),
        ("lines", "amount"),
        ("on_hold", "failed"),
    )
    change_form_outer_after_template = "admin/billing/billrun/failures.html"

    class Media:
        css = {"all": ["admin/bills.css"]}

    @display(description="Month", ordering="month")
    def of_month(self, run: BillRun) -> str:
        return f"{run.month:%B %Y}"

    @display(description="Total, USD", ordering="total")
    def amount(self, run: BillRun) -> str:
        return money(run.total)

    @display(description="State", label={"Finished": "success", "Stopped, or going on": "warning"})
    def status(self, run: BillRun) -> str:
        return "Finished" if run.finished_at else "Stopped, or going on"

    def change_context(self, request: HttpRequest, obj: BillRun) -> dict[str, Any]:
        failures = FailedBill.objects.filter(run=obj).select_related("account").order_by("pk")[:SHOWN]
        return {"failures": failures, "shown": SHOWN}


@admin.register(FailedBill)
class FailedBillAdmin(ReadOnlyAdmin):
    list_display = ("account", "run", "reason", "at")
    list_select_related = ("account", "run")
    search_fields = ("account__number", "account__company")
    search_help_text = "Number of the account, or company"
    ordering = ("-pk",)
    sortable_by = ()
    fields = (("account", "run"), "reason", "at")
