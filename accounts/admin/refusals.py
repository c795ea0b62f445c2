"""Refusals: what users tried and why it was refused."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import Refusal
from core.admin.bases import ReadOnlyAdmin

RECENT = 1_000


class WhoFilter(admin.SimpleListFilter):
    title = "who tried"
    parameter_name = "who"
    of = {"staff": Q(by__is_staff=True), "customers": Q(by__is_staff=False), "nobody": Q(by=None)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("staff", "Staff"), ("customers", "Customers"), ("nobody", "Nobody known")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refusal]) -> QuerySet[Refusal]:
        return queryset.filter(self.of.get(self.value() or "", Q()))


class RecentValuesFilter(admin.SimpleListFilter):
    """Offers only the values of the latest refusals, found by the primary key's index, to avoid reading the table."""

    column: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        recent = Refusal.objects.order_by("-pk").values_list(self.column, flat=True)[:RECENT]
        return [(value, value.replace("_", " ")) for value in sorted(set(recent))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refusal]) -> QuerySet[Refusal]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class ActionFilter(RecentValuesFilter):
    title = "what was tried"
    parameter_name = column = "action"


class RuleFilter(RecentValuesFilter):
    title = "rule"
    parameter_name = column = "rule"


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin):
    list_display = ("at", "account", "by", "action", "field", "tried", "rule", "message")
    list_filter = (WhoFilter, ActionFilter, RuleFilter, "at")
    list_select_related = ("account", "by")
    search_fields = ("account__number", "account__company", "by__email")
    search_help_text = "Account, or the e-mail address of who tried"
    fields = ("at", "account", "by", "action", "field", "tried", "rule", "message")
    ordering = ("-pk",)
