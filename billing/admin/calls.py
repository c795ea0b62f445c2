"""Call records, the files they came in, and the rows that were not taken: all of it only read, but for the import."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator

from accounts.admin import ReadOnlyAdmin
from accounts.models import NumberAssignment
from billing.admin.upload import upload_page
from billing.calls.importing import PERMISSION
from billing.calls.rejects import rejects_of
from billing.calls.values import Numbers, Rejected
from billing.models import CallImport, CallRecord, RejectedCall

SHOWN = 100
RECENT = 1_000


@admin.register(CallImport)
class CallImportAdmin(ReadOnlyAdmin):
    """The files that were imported; one that was stopped is imported again by uploading it again."""

    list_display = ("name", "by", "started_at", "state", "added", "unmatched", "repeated", "not_answered", "rejected")
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
        ("repeated", "not_answered"),
        "rejected",
    )
    actions_list = ("import_calls",)
    actions_detail = ("download_rejects",)
    change_form_outer_after_template = "admin/billing/callimport/rejects.html"

    def has_import_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_download_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request)

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
    def import_calls(self, request: HttpRequest) -> HttpResponse:
        return upload_page(self, request)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the rejects only where there are any."""
        received = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if received and received.rejected else []

    @action(description="Rejects as CSV", permissions=["download"], url_path="rejects", icon="download")
    def download_rejects(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        received = self.row_or_404(request, object_id)
        return StreamingHttpResponse(
            rejects_of(received),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="rejects-{received.pk}.csv"'},
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"rejects": self._rejects(object_id), "shown": SHOWN}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def _rejects(self, object_id: str | None) -> dict[str, Any]:
        """Return the first rejects of an import, as a table of the admin."""
        key = int(self._checked_key(object_id)) if object_id else 0
        rejects = RejectedCall.objects.filter(received_in=key).order_by("line", "pk")[:SHOWN]
        return {
            "headers": ["Line", "Reason", "Row"],
            "rows": [[reject.line, reject.reason, reject.content[:200]] for reject in rejects],
        }


class CodeFilter(admin.SimpleListFilter):
    """Offers the codes among the latest rejects, by the primary key's index: all of them would read the table."""

    title = "reason"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        recent = RejectedCall.objects.order_by("-pk").values_list("code", flat=True)[:RECENT]
        return [(code, code.replace("_", " ")) for code in sorted(set(recent))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RejectedCall]) -> QuerySet[RejectedCall]:
        return queryset.filter(code=self.value()) if self.value() else queryset


@admin.register(RejectedCall)
class RejectedCallAdmin(ReadOnlyAdmin):
    list_display = ("received_in", "line", "reason", "content")
    list_filter = (CodeFilter,)
    list_select_related = ("received_in",)
    search_fields = ("received_in__name",)
    search_help_text = "File"
    ordering = ("-pk",)
    fields = ("received_in", ("line", "code"), "reason", "content")
    paginator = InfinitePaginator


class MatchedFilter(admin.SimpleListFilter):
    title = "account"
    parameter_name = "matched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("no", "Unmatched: no one held the number"), ("yes", "Matched")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallRecord]) -> QuerySet[CallRecord]:
        of = {"no": Q(account=None), "yes": Q(account__isnull=False)}
        return queryset.filter(of.get(self.value() or "", Q()))


@admin.register(CallRecord)
class CallRecordAdmin(ReadOnlyAdmin):
    """Every call. There are millions: they are found by what has an index, and never counted."""

    list_display = ("call_id", "number", "caller", "started_at", "seconds", "minutes", "account", "day", "received_in")
    list_filter = (MatchedFilter, "is_toll_free")
    list_select_related = ("account", "received_in")
    search_fields = ("call_id",)  # makes the box; get_search_results says what is looked for
    search_help_text = "The whole id of a call, or a called number in any way of writing"
    ordering = ("-pk",)
    fields = (
        ("call_id", "received_in"),
        ("number", "is_toll_free"),
        ("caller", "started_at"),
        ("seconds", "minutes"),
        ("account", "day", "matched_at"),
    )
    paginator = InfinitePaginator

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CallRecord], search_term: str
    ) -> tuple[QuerySet[CallRecord], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(call_id=term)
        try:
            number = Numbers(settings.PHONENUMBER_DEFAULT_REGION).number_of(term)
        except Rejected:
            return queryset.filter(wanted), False
        # Matched calls are indexed by account: a number's are with those who held it.
        holders = NumberAssignment.objects.filter(number__number=number).values_list("account", flat=True)
        wanted |= Q(number=number, account=None) | Q(number=number, account__in=sorted(set(holders)))
        return queryset.filter(wanted), False
