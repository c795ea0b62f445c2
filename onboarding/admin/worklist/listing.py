"""The worklist: accounts in onboarding, the oldest first, and the page of each of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest
from unfold.decorators import display
from unfold.views import ChangeList

from accounts.search import FOUND_BY, accounts_matching
from accounts.templatetags.accounts import local
from core.admin import BaseChangeList, ComposedAdmin, HistoryAdmin, ReadOnly
from core.clock import database_now
from onboarding.admin.worklist.actions import WorklistActions
from onboarding.admin.worklist.exporting import Exporting
from onboarding.admin.worklist.registry import WORKLIST, Column
from onboarding.models import Onboarding
from onboarding.worklist import planned

MOST_FOUND = 1_000


class WorklistPage(BaseChangeList):
    """A page of the worklist. Which rows it has is asked first, and what is shown of them only for those."""

    queryset: Any
    result_list: Any

    @property
    def shortcuts(self) -> dict[tuple[str, str], str]:
        return WORKLIST.shortcuts

    @cached_property
    def now(self) -> datetime:
        return database_now()

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return what a column is sorted by; what takes queries only if the list is sorted."""
        if isinstance(field_name, Column) and callable(field_name.sort_by) and ORDER_VAR in self.params:
            return field_name.sort_by(self.now)
        return super().get_ordering_field(field_name)

    def get_results(self, request: HttpRequest) -> None:
        found, self.queryset = self.queryset, self.queryset.values_list("pk", flat=True)
        super().get_results(request)
        self.queryset = found
        # An action wants the choice alone, and shows its own page.
        keys = [] if "action" in request.POST else list(self.result_list)
        self.result_list = self.model_admin.listed(request, keys) if keys else []


@admin.register(Onboarding)
class OnboardingAdmin(WorklistActions, Exporting, ReadOnly, ComposedAdmin, HistoryAdmin):
    """Accounts by age, with what is planned for them; whatever is done with them, an action does.

    What is on it, apps have registered with WORKLIST.
    """

    page = WORKLIST
    list_filter_sheet = True
    search_fields = ("account__number",)  # makes the box; get_search_results says what is looked for
    search_help_text = FOUND_BY
    ordering = ("started_at", "pk")
    list_before_template = "admin/onboarding/onboarding/narrowed.html"
    change_form_outer_before_template = "admin/onboarding/onboarding/above.html"
    change_form_outer_after_template = "admin/onboarding/onboarding/below.html"

    class Media:
        css = {"all": ["admin/worklist.css"]}

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return list(WORKLIST.columns)

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        return [column for column in WORKLIST.columns if column.is_link]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [each.filter for each in WORKLIST.filters]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = planned(super().get_queryset(request)).annotate(
            in_onboarding_for=Coalesce("activated_at", Now()) - F("started_at")
        )
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        found = accounts_matching(search_term).order_by()
        # Few, as a rule: then they are looked for once, not once more to count and once more to export.
        keys = list(found.values_list("pk", flat=True)[: MOST_FOUND + 1])
        return queryset.filter(account__in=keys if len(keys) <= MOST_FOUND else found), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WorklistPage

    def listed(self, request: HttpRequest, keys: Sequence[int]) -> list[Any]:
        """Return the rows with these keys, in their order, with all that the list shows of them."""
        rows = self.get_queryset(request).select_related("account", "owner").in_bulk(keys)
        now = database_now()
        found = [rows[key] for key in keys if key in rows]
        for row in found:
            row.today = row.account.day_of(now)
        WORKLIST.load(found)
        return found

    def get_fields(self, request: HttpRequest, obj: Onboarding | None = None) -> Any:
        """Return what stays as it is; the cards around show the rest."""
        activated = (("until", "activated_by"), ("activated_from", "reason")) if obj and obj.is_active else ()
        return (("account", "since"), *activated)

    def get_readonly_fields(self, request: HttpRequest, obj: Onboarding | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "since", "until")

    @display(description="In onboarding since")
    def since(self, row: Onboarding) -> str:
        """Return the instant as the timeline below does: by the account's own clock."""
        return local(row.started_at, row.account)

    @display(description="Activated")
    def until(self, row: Onboarding) -> str:
        return local(row.activated_at, row.account)

    def change_context(self, request: HttpRequest, obj: Onboarding) -> dict[str, Any]:
        """Return what the page of an account shows around its fields: the row, and the panels."""
        (row,) = self.listed(request, [obj.pk])
        allowed = {"may_plan": self.has_plan_permission(request), "may_activate": self.has_activate_permission(request)}
        return {**super().change_context(request, row), "row": row, **allowed}
