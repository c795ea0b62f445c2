"""The worklist: accounts in onboarding, the oldest first, and what the team does with many of them at once."""

import csv
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.views import ChangeList

from accounts.actions import database_now
from accounts.admin import HistoryAdmin, ReadOnly
from accounts.csv_files import defused
from accounts.search import FOUND_BY, accounts_matching
from onboarding.admin.activation import PERMISSION, ChosenForm, activation_page, keys_of
from onboarding.admin.filters import (
    ActivatedFilter,
    AgeFilter,
    DeadlineFilter,
    GoLiveFilter,
    ModeFilter,
    OwnerFilter,
)
from onboarding.admin.plans import (
    DEADLINE,
    OF_MANY,
    OWNER,
    PLANS,
    PLANS_PERMISSION,
    SCHEDULE,
    NoteForm,
    Plan,
    plan_page,
)
from onboarding.models import GoLiveRequest, Onboarding
from onboarding.timeline import timeline
from onboarding.worklist import planned

EXPORTED_AT_ONCE = 1_000
MOMENTS = 100
MOST_FOUND = 1_000
Column = tuple[str, Callable[[Any], object]]


class PageOfWorklist(ChangeList):
    """A page of the worklist. Which rows it has is asked first, and what is shown of them only for those."""

    queryset: Any
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        found, self.queryset = self.queryset, self.queryset.values_list("pk", flat=True)
        super().get_results(request)
        self.queryset = found
        # An action wants the choice alone, and shows its own page.
        keys = [] if "action" in request.POST else list(self.result_list)
        self.result_list = self.model_admin.listed(request, keys) if keys else []


class Worklist(ReadOnly, HistoryAdmin):
    """Accounts by age, with what is planned for them; whatever is done with them, an action does.

    Registered by `billing`, after `subscriptions` has added what it knows.
    """

    list_display: Any = ("number", "company", "age", "deadline", "wanted_on", "looked_after_by")
    list_display_links = ("number", "company")
    list_filter: Any = (DeadlineFilter, GoLiveFilter, OwnerFilter, AgeFilter, ModeFilter, ActivatedFilter)
    list_filter_sheet = True
    search_fields = ("account__number",)  # makes the box; get_search_results says what is looked for
    search_help_text = FOUND_BY
    ordering = ("started_at", "pk")
    change_form_outer_before_template = "admin/onboarding/onboarding/head.html"
    change_form_outer_after_template = "admin/onboarding/onboarding/account.html"
    actions: Any = ("activate_selected", *(f"{plan.name}_selected" for plan in OF_MANY))
    actions_detail = ("activate_one",)
    actions_list = ("as_csv",)

    class Media:
        css = {"all": ["admin/worklist.css"]}

    def has_activate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_plan_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PLANS_PERMISSION)

    def has_export_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = planned(super().get_queryset(request))
        return rows.annotate(in_onboarding_for=Coalesce("activated_at", Now()) - F("started_at"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        found = accounts_matching(search_term).order_by()
        # Few, as a rule: then they are looked for once, not once more to count and once more to export.
        keys = list(found.values_list("pk", flat=True)[: MOST_FOUND + 1])
        return queryset.filter(account__in=keys if len(keys) <= MOST_FOUND else found), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Deny an action that this member of staff is not offered; Django would show the list again."""
        asked = request.POST.get("action")
        if asked in self.actions and asked not in self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageOfWorklist

    def listed(self, request: HttpRequest, keys: Sequence[int]) -> list[Any]:
        """Return the rows with these keys, in their order, with all that the list shows of them."""
        rows = self.get_queryset(request).select_related("account", "owner").in_bulk(keys)
        now = database_now()
        found = [rows[key] for key in keys if key in rows]
        for row in found:
            row.today = row.account.day_of(now)
        return found

    @display(description="Account", ordering="account__number")
    def number(self, row: Onboarding) -> str:
        return row.account.number

    @display(description="Company", ordering="account__company")
    def company(self, row: Onboarding) -> str:
        return row.account.company

    @display(description="Mode", label={"In onboarding": "info", "Active": "success"})
    def mode(self, row: Onboarding) -> str:
        return "Active" if row.is_active else "In onboarding"

    @display(description="Age", ordering="in_onboarding_for")
    def age(self, row: Any) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', _days(row.in_onboarding_for.days))

    @display(description="Deadline", ordering="deadline", empty_value="–")
    def deadline(self, row: Any) -> str | SafeString | None:
        """Return the deadline in words, with what is scheduled instead; of an active account, since when it is."""
        if row.is_active:
            return f"Active since {date_format(row.activated_on)}"
        words = _due(row)
        if row.scheduled_on is None:
            return words
        return format_html("{}<span class='second'>goes live {}</span>", words or "", date_format(row.scheduled_on))

    @display(description="Go-live asked for", ordering="wanted_on", empty_value="–")
    def wanted_on(self, row: Any) -> str | None:
        return date_format(row.wanted_on) if row.wanted_on else None

    @display(description="Owner", ordering="owner__email", empty_value="–")
    def looked_after_by(self, row: Onboarding) -> str | None:
        return str(row.owner) if row.owner else None

    def columns(self) -> Sequence[Column]:
        """Return the columns of the CSV: a title, and a function of a row that was `listed`."""
        return [
            ("account", lambda row: row.account.number),
            ("company", lambda row: row.account.company),
            ("age_in_days", lambda row: row.in_onboarding_for.days),
            ("deadline", lambda row: row.deadline or ""),
            ("go_live_asked_for", lambda row: row.wanted_on or ""),
            ("scheduled_for", lambda row: row.scheduled_on or ""),
            ("activated_on", lambda row: row.activated_on or ""),
            ("owner", lambda row: row.owner.email if row.owner else ""),
        ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        chosen = [
            path(f"{plan.name}/", view(self._of_chosen(plan)), name=f"onboarding_{plan.name}") for plan in OF_MANY
        ]
        one = [
            path(f"<path:object_id>/{plan.name}/", view(self._of_one(plan)), name=f"onboarding_onboarding_{plan.name}")
            for plan in PLANS
        ]
        activate = path("activate/", view(self.activate_chosen), name="onboarding_activate")
        return [activate, *chosen, *one, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Onboarding | None = None) -> Any:
        """Return what stays as it is; the cards around show the rest."""
        activated = (("activated_at", "activated_by"), ("activated_from", "reason")) if obj and obj.is_active else ()
        return (("account", "started_at"), *activated)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        rows = self.listed(request, [int(self._checked_key(object_id))]) if object_id else []
        context: dict[str, Any] = {}
        if rows and request.method == "GET" and self.has_view_permission(request, rows[0]):
            context = self.account_context(request, rows[0])
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def account_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the page of an account shows around its fields; the apps above add theirs."""
        waiting = GoLiveRequest.objects.open().filter(account=row.account_id).select_related("requested_by").first()
        return {
            "row": row,
            "due": _due(row),
            "policy_days": settings.ONBOARDING_DEADLINE_DAYS,
            "waiting": waiting,
            "moments": timeline(row.account, MOMENTS),
            "most_moments": MOMENTS,
            "may_plan": self.has_plan_permission(request),
            "may_activate": self.has_activate_permission(request),
            "note": NoteForm(initial={"accounts": str(row.account_id)}, auto_id="note_%s"),
        }

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the button only where there is something to activate."""
        row = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if row and not row.is_active else []

    @action(description="Activate…", permissions=["activate"], url_path="activate", icon="rocket_launch")
    def activate_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        accounts = self._chosen(request, queryset)
        there = reverse("admin:onboarding_activate")
        return activation_page(self, request, accounts, back=self._list_address(), action=there) if accounts else None

    @action(description="Assign an owner…", permissions=["plan"], icon="person")
    def owner_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        return self._plan_selected(request, queryset, OWNER)

    @action(description="Extend the deadline…", permissions=["plan"], icon="event_upcoming")
    def deadline_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        return self._plan_selected(request, queryset, DEADLINE)

    @action(description="Schedule the activation…", permissions=["activate"], icon="schedule")
    def schedule_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        return self._plan_selected(request, queryset, SCHEDULE)

    @action(
        description="Activate…",
        permissions=["activate"],
        url_path="activate",
        icon="rocket_launch",
        variant=ActionVariant.PRIMARY,
    )
    def activate_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_404(request, object_id)
        return activation_page(self, request, [row.account_id], back=_page_of(row))

    def activate_chosen(self, request: HttpRequest) -> HttpResponse:
        """Take the confirmation of what was chosen in the list; without one there is nothing to show or do."""
        if not self.has_activate_permission(request):
            return activation_page(self, request, [], back="")
        accounts = _posted(request)
        if not accounts:
            return self._choose_first(request, "Choose the accounts to activate in this list first.")
        return activation_page(self, request, accounts, back=self._list_address())

    def _plan_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding], plan: Plan) -> HttpResponse | None:
        accounts = self._chosen(request, queryset)
        there = reverse(f"admin:onboarding_{plan.name}")
        return plan_page(self, request, plan, accounts, back=self._list_address(), action=there) if accounts else None

    def _of_chosen(self, plan: Plan) -> Callable[[HttpRequest], HttpResponse]:
        """Return the view that takes the plan's form for what was chosen in the list."""

        def view(request: HttpRequest) -> HttpResponse:
            accounts = _posted(request)
            if not accounts and request.user.has_perm(plan.permission):
                return self._choose_first(request, "Choose the accounts in this list first.")
            return plan_page(self, request, plan, accounts, back=self._list_address(), action=request.path)

        return view

    def _of_one(self, plan: Plan) -> Callable[[HttpRequest, str], HttpResponse]:
        """Return the view with the plan's form for one account."""

        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.row_or_404(request, object_id)
            return plan_page(self, request, plan, [row.account_id], back=_page_of(row))

        return view

    def _chosen(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> list[int]:
        accounts = keys_of(queryset)
        if not accounts:
            messages.warning(request, "None of these accounts is in this list any more.")
        return accounts

    def _choose_first(self, request: HttpRequest, words: str) -> HttpResponse:
        messages.warning(request, words)
        return HttpResponseRedirect(self._list_address())

    def _list_address(self) -> str:
        return reverse("admin:onboarding_onboarding_changelist")

    @action(description="CSV", permissions=["export"], url_path="csv", icon="download")
    def as_csv(self, request: HttpRequest) -> StreamingHttpResponse:
        """Return the list as it is filtered, searched and sorted, row by row."""
        keys = list(self.get_changelist_instance(request).queryset.values_list("pk", flat=True))
        return StreamingHttpResponse(
            self._lines(request, keys),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="worklist.csv"'},
        )

    def _lines(self, request: HttpRequest, keys: Sequence[int]) -> Iterator[str]:
        columns = self.columns()
        yield _line([title for title, _ in columns])
        for start in range(0, len(keys), EXPORTED_AT_ONCE):
            for row in self.listed(request, keys[start : start + EXPORTED_AT_ONCE]):
                yield _line([value(row) for _, value in columns])


def _due(row: Any) -> str | None:
    """Return the deadline in words, and how late it is."""
    if row.deadline is None:
        return None
    late = (row.today - row.deadline).days
    words = date_format(row.deadline)
    return f"{words}: {_days(late)} overdue" if late > 0 else words


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"


def _line(cells: Sequence[object]) -> str:
    buffer = StringIO()
    csv.writer(buffer).writerow([defused(cell) if isinstance(cell, str) else cell for cell in cells])
    return buffer.getvalue()


def _page_of(row: Onboarding) -> str:
    return reverse("admin:onboarding_onboarding_change", args=[row.pk])


def _posted(request: HttpRequest) -> list[int]:
    """Return the keys that a confirmation was posted with, or none where it is not one."""
    form = ChosenForm(request.POST)
    form.full_clean()
    return form.cleaned_data.get("accounts") or [] if request.method == "POST" else []
