"""Call records and the imported files. They are read-only, except for imports and voids."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator

from accounts.models import NumberAssignment
from billing.actions import void_import, void_record
from billing.admin.decisions import reason_page
from billing.admin.upload import upload_page
from billing.calls.importing import PERMISSION
from billing.calls.rejects import rejects_of
from billing.calls.values import Numbers, Rejected
from billing.calls.voiding import PERMISSION as VOID
from billing.calls.voiding import preview
from billing.models import CallImport, CallRecord, CallVoid, RejectedCall
from core.admin import ReadOnlyAdmin
from core.refusals import AlreadyDone
from core.verbs import stands_for

SHOWN = 100


@admin.register(CallImport)
class CallImportAdmin(ReadOnlyAdmin):
    """The imported files. An import that was interrupted is completed by uploading its file again."""

    list_display = (
        "name", "by", "started_at", "state", "rows_read", "added", "unmatched", "repeated", "not_answered", "rejected",
        "set_aside",
    )  # fmt: skip
    list_filter = ("layout", "started_at")
    list_select_related = ("by",)
    search_fields = ("name", "by__email")
    search_help_text = "File, or the e-mail address of who imported it"
    ordering = ("-pk",)
    fields = (
        ("name", "layout"),
        ("by", "state"),
        ("started_at", "finished_at"),
        ("added", "unmatched"),
        ("not_toll_free", "zero"),
        ("repeated", "not_answered"),
        ("rejected", "set_aside"),
        ("voided", "not_a_call"),
        ("rows_read", "took_voided"),
    )
    actions_list = ("import_calls",)
    actions_detail = ("download_rejects", "void")
    change_form_outer_after_template = "admin/billing/callimport/rejects.html"

    def has_import_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_download_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        allowed: bool = self.has_view_permission(request)
        return allowed

    @display(description="State", label={"Finished": "success", "Stopped, or going on": "warning"})
    def state(self, received: CallImport) -> str:
        return "Finished" if received.finished_at else "Stopped, or going on"

    @action(
        description="Import calls…",
        permissions=["import"],
        url_path="import",
        icon="upload_file",
        variant=ActionVariant.PRIMARY,
    )
    @stands_for("import_calls")
    def import_calls(self, request: HttpRequest) -> HttpResponse:
        return upload_page(self, request)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the download only if rows were rejected, and the void only if records were added."""
        received = self.get_object(request, self._checked_key(str(object_id)))
        offered = {"download_rejects": received and received.rejected, "void": received and received.added}
        return [
            each
            for each in super().get_actions_detail(request, object_id)
            if any(has and each.action_name.endswith(name) for name, has in offered.items())
        ]

    def has_void_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(VOID)

    @action(description="Void all its records…", permissions=["void"], url_path="void", icon="block")
    @stands_for("void_calls")
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        received = self.row_or_404(request, object_id)

        def decide(**how: Any) -> str:
            done = void_import(received, **how).records
            if not done:
                raise AlreadyDone(f"No record of “{received}” stands any more.", code="already_voided")
            return f"{done:,} {'record' if done == 1 else 'records'} of “{received}” voided."

        return reason_page(
            self,
            request,
            title="Void the import",
            says=[f"“{received}” of {received.started_at:%B %-d, %Y}."],
            back=reverse("admin:billing_callimport_change", args=[received.pk]),
            decide=decide,
            voids=preview(received.calls.all()),
        )

    @action(description="Rejects as CSV", permissions=["download"], url_path="rejects", icon="download")
    def download_rejects(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        received = self.row_or_404(request, object_id)
        return StreamingHttpResponse(
            rejects_of(received),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="rejects-{received.pk}.csv"'},
        )

    def change_context(self, request: HttpRequest, obj: CallImport) -> dict[str, Any]:
        """Return the first rejects of the import, as data for the admin's table component."""
        rejects = RejectedCall.objects.filter(Q(call_import=obj) | Q(seen_in=obj)).order_by("line", "pk")[:SHOWN]
        rows = [[reject.line, reject.reason, reject.content[:200]] for reject in rejects]
        return {"rejects": {"headers": ["Line", "Reason", "Row"], "rows": rows}, "shown": SHOWN}


class MatchedFilter(admin.SimpleListFilter):
    title = "account"
    parameter_name = "matched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("no", "Unmatched: no one held the number"), ("yes", "Matched")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallRecord]) -> QuerySet[CallRecord]:
        of = {"no": Q(account=None, is_voided=False, seconds__gt=0), "yes": Q(account__isnull=False)}
        return queryset.filter(of.get(self.value() or "", Q()))


@admin.register(CallRecord)
class CallRecordAdmin(ReadOnlyAdmin):
    """All call records. There are millions, so they are never counted, and searched only by indexed columns."""

    list_display = (
        "call_id", "leg", "number", "caller", "started_at", "seconds", "minutes", "account", "day", "status",
        "call_import",
    )  # fmt: skip
    list_filter = (MatchedFilter, "is_toll_free", "is_voided")
    list_select_related = ("account", "call_import", "void")
    search_fields = ("call_id",)  # shows the search box; the search is in get_search_results
    search_help_text = "The whole id of a call, or a called number in any way of writing"
    ordering = ("-pk",)
    fields = (
        ("call_id", "leg"),
        ("call_import", "status"),
        ("number", "is_toll_free"),
        ("caller", "started_at"),
        ("seconds", "minutes"),
        ("account", "day", "matched_at"),
        "voided",
    )
    actions_detail = ("void_record",)
    paginator = InfinitePaginator

    @display(description="State", label={"Counts": "success", "Voided": "danger", "0 seconds": "info"})
    def status(self, record: CallRecord) -> str:
        if record.is_voided:
            return "Voided"
        return "Counts" if record.seconds else "0 seconds"

    @display(description="Voided", empty_value="–")
    def voided(self, record: CallRecord) -> str | None:
        void = CallVoid.objects.filter(record=record).select_related("by").first()
        return f"{void.at:%B %-d, %Y, %H:%M} UTC by {void.by}: {void.reason}" if void else None

    def has_void_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(VOID)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the void only if the record is not voided and has talk time."""
        record = self.get_object(request, str(object_id))
        stands = record and record.seconds and not record.is_voided
        return super().get_actions_detail(request, object_id) if stands else []

    @action(description="Void…", permissions=["void"], url_path="void", icon="block")
    @stands_for("void_calls")
    def void_record(self, request: HttpRequest, object_id: str) -> HttpResponse:
        record = self.row_or_404(request, object_id)

        def decide(**how: Any) -> str:
            void_record(record, **how)
            return f"The record of the call {record} was voided."

        return reason_page(
            self,
            request,
            title="Void the record",
            says=[f"The call {record} to {record.number}, {record.seconds:,} seconds, {record.started_at:%Y-%m-%d}."],
            back=reverse("admin:billing_callrecord_change", args=[record.pk]),
            decide=decide,
            voids=preview(CallRecord.objects.filter(pk=record.pk)),
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CallRecord], search_term: str
    ) -> tuple[QuerySet[CallRecord], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        # Two conditions, since the records that count and all others each have an index of their own.
        wanted = Q(call_id=term, is_voided=False, seconds__gt=0)
        wanted |= Q(call_id=term) & (Q(is_voided=True) | Q(seconds=0))
        try:
            number = Numbers(settings.PHONENUMBER_DEFAULT_REGION).number_of(term)
        except Rejected:
            return queryset.filter(wanted), False
        # Matched calls are indexed by account, so look among the accounts that held the number.
        holders = NumberAssignment.objects.filter(number__number=number).values_list("account", flat=True)
        wanted |= Q(number=number, account=None, is_voided=False) | Q(number=number, account__in=sorted(set(holders)))
        return queryset.filter(wanted), False
