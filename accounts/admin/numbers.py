"""Telephone numbers, and when each was assigned to Contact Center."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.actions import save_number
from accounts.models import NumberAssignment, PhoneNumber
from core.admin.bases import HistoryAdmin, ReadOnlyAdmin, Writes

WRITTEN_NUMBER = re.compile(r"\+?[\d\s().\-/]{3,}")


def digits_of(term: str) -> str:
    """Return the digits of a phone number in any notation, or the term unchanged if it isn't one."""
    return re.sub(r"\D", "", term) if WRITTEN_NUMBER.fullmatch(term.strip()) else term


@admin.register(PhoneNumber)
class PhoneNumberAdmin(HistoryAdmin):
    """The numbers of all accounts. The digits of a number that was ever assigned can't change; calls match by them."""

    list_display = ("national", "number", "kind", "account")
    list_filter = ("kind",)
    list_select_related = ("account",)
    search_fields = ("number", "account__number", "account__company")
    search_help_text = "A number in any way of writing, or an account"
    autocomplete_fields = ("account",)
    fields = ("account", "number", "kind")
    writes = {PhoneNumber: Writes(save_number)}

    def get_readonly_fields(self, request: HttpRequest, obj: PhoneNumber | None = None) -> Any:
        fixed = ("number",) if obj and obj.assignments.exists() else ()
        return (*super().get_readonly_fields(request, obj), "kind", *fixed)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PhoneNumber], search_term: str
    ) -> tuple[QuerySet[PhoneNumber], bool]:
        found: tuple[QuerySet[PhoneNumber], bool]
        found = super().get_search_results(request, queryset, digits_of(search_term))
        return found


@admin.register(NumberAssignment)
class NumberAssignmentAdmin(ReadOnlyAdmin):
    list_display = ("number", "account", "assigned_from", "assigned_until", "assigned_by", "ended_by")
    list_select_related = ("number", "account", "assigned_by", "ended_by")
    search_fields = ("number__number", "account__number", "account__company")
    search_help_text = "A number in any way of writing, or an account"
    fields = ("number", "account", "assigned_from", "assigned_until", "assigned_by", "ended_by")
    readonly_fields = ("assigned_from", "assigned_until")
    ordering = ("-pk",)

    @admin.display(description="from")
    def assigned_from(self, assignment: NumberAssignment) -> Any:
        return assignment.period.lower

    @admin.display(description="until", empty_value="today")
    def assigned_until(self, assignment: NumberAssignment) -> Any:
        return assignment.period.upper

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[NumberAssignment], search_term: str
    ) -> tuple[QuerySet[NumberAssignment], bool]:
        found: tuple[QuerySet[NumberAssignment], bool]
        found = super().get_search_results(request, queryset, digits_of(search_term))
        return found
