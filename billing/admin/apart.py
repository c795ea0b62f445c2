"""Records that were set aside and rows that were rejected, until the Billing team decides about them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator

from billing.actions import dismiss_record, dismiss_reject, take_record
from billing.admin.decisions import reason_page
from billing.calls.deciding import stored_beside
from billing.calls.voiding import PERMISSION, Voided, preview
from billing.models import RejectedCall, SetAsideCall
from core.admin import ReadOnlyAdmin
from core.verbs import stands_for

RECENT = 1_000
STATES = {"Open": "warning", "Taken": "success", "Settled by a later file": "success", "Dismissed": "info"}
STAYS = "It stays dismissed, however often its file comes again."


class DecidedAdmin(ReadOnlyAdmin):
    """The base of pages of rows that wait for a decision. The buttons are offered only while a row is open."""

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        row = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if row and row.state == "open" else []

    @display(description="State", label=STATES)
    def status(self, row: Any) -> str:
        return str(row.get_state_display())

    def back(self, row: Any) -> str:
        return reverse(f"admin:billing_{self.opts.model_name}_change", args=[row.pk])


@admin.register(SetAsideCall)
class SetAsideCallAdmin(DecidedAdmin):
    """Records that contradict another one (billing-policy.md, 17), the newest first."""

    list_display = ("call_id", "leg", "number", "started_at", "seconds", "reason", "status", "call_import")
    list_filter = ("state",)
    list_select_related = ("call_import",)
    search_fields = ("call_id__exact",)
    search_help_text = "The whole id of a call"
    ordering = ("-pk",)
    sortable_by = ()
    fields = (
        ("call_id", "leg"),
        ("number", "caller"),
        ("started_at", "seconds"),
        ("call_import", "line"),
        ("reason", "status"),
        ("decided_by", "decided_at"),
        "note",
        ("settled_in", "record"),
    )
    actions_detail = ("take", "dismiss")
    paginator = InfinitePaginator

    @action(description="Take…", permissions=["decide"], url_path="take", icon="check", variant=ActionVariant.PRIMARY)
    @stands_for("take_record")
    def take(self, request: HttpRequest, object_id: str) -> HttpResponse:
        kept = self.row_or_404(request, object_id)
        stored = stored_beside(kept)
        voids: Voided | None = preview(stored) if stored else None
        says = [f"The record of the call {kept} over {kept.seconds:,} seconds counts from then on."]
        says += [f"The record stored in its place, over {each.seconds:,} seconds, is voided." for each in stored]

        def decide(**how: Any) -> str:
            take_record(kept, **how)
            return f"The record of the call {kept} was taken."

        return reason_page(
            self,
            request,
            title="Take the record",
            says=says,
            back=self.back(kept),
            decide=decide,
            voids=voids,
            icon="check",
        )

    @action(description="Dismiss…", permissions=["decide"], url_path="dismiss", icon="close")
    @stands_for("dismiss_record")
    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        kept = self.row_or_404(request, object_id)

        def decide(**how: Any) -> str:
            dismiss_record(kept, **how)
            return f"The record of the call {kept} was dismissed."

        says = [f"The record of the call {kept} over {kept.seconds:,} seconds is never charged. {STAYS}"]
        return reason_page(self, request, title="Dismiss the record", says=says, back=self.back(kept), decide=decide)


class CodeFilter(admin.SimpleListFilter):
    """Offers only the codes of the latest rejects, found by the primary key's index, to avoid reading the table."""

    title = "reason"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        recent = RejectedCall.objects.order_by("-pk").values_list("code", flat=True)[:RECENT]
        return [(code, code.replace("_", " ")) for code in sorted(set(recent))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RejectedCall]) -> QuerySet[RejectedCall]:
        return queryset.filter(code=self.value()) if self.value() else queryset


@admin.register(RejectedCall)
class RejectedCallAdmin(DecidedAdmin):
    list_display = ("call_import", "line", "reason", "content", "status")
    list_filter = ("state", CodeFilter)
    list_select_related = ("call_import",)
    search_fields = ("call_import__name",)
    search_help_text = "File"
    ordering = ("-pk",)
    sortable_by = ()
    fields = (
        "call_import",
        ("line", "code"),
        "reason",
        "content",
        ("status", "seen_in"),
        ("decided_by", "decided_at"),
        "note",
        "settled_in",
    )
    actions_detail = ("dismiss",)
    paginator = InfinitePaginator

    @action(description="Dismiss…", permissions=["decide"], url_path="dismiss", icon="close")
    @stands_for("dismiss_reject")
    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        reject = self.row_or_404(request, object_id)

        def decide(**how: Any) -> str:
            dismiss_reject(reject, **how)
            return "The row was dismissed."

        says = [f"Line {reject.line:,} of {reject.call_import}: {reject.reason}", STAYS]
        return reason_page(self, request, title="Dismiss the row", says=says, back=self.back(reject), decide=decide)
